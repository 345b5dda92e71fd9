import type { Model } from '../model/model.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { isFloat } from './constant.ts';
import type { Family } from './families/family.ts';
import { families, familyOf } from './families/registry.ts';
import { longestPath, topPath } from './ids.ts';
import type { Organ } from './modules.ts';
import { packedParts } from './packed.ts';

/** A family, and the modules of a checkpoint by their paths in BERT's words. */
export interface Found {
  readonly family: Family;
  readonly organs: ReadonlyMap<string, Organ>;
}

/** The family that config.json states, if the names are its; otherwise the first that the names tell. */
export function familyIn(model: Model): Found | undefined {
  const modules = modulesOf(model);
  const queries = queriesIn(modules);
  const read = organsReader(model, modules);
  const stated = familyOf(model.config.model_type);
  const found = families.flatMap(family => {
    const prefix = prefixOf(queries, family);
    return prefix === undefined ? [] : [{ family, prefix }];
  });
  const known = found.find(({ family }) => family === stated);
  if (known) return { family: known.family, organs: read(known.family, known.prefix).organs };
  for (const { family, prefix } of found) {
    const { organs, paths } = read(family, prefix);
    if (family.tells(paths, model.tensors)) return { family, organs };
  }
  return undefined;
}

/** Reads organs, once for all families that name them alike. */
function organsReader(model: Model, modules: ReadonlyMap<string, Organ>) {
  const done: Reading[] = [];
  return (family: Family, prefix: string): Reading => {
    const outer = prefix.endsWith(family.base) ? prefix.slice(0, -family.base.length) : prefix;
    const { organ, head } = family;
    const same = (each: Reading) =>
      each.prefix === prefix && each.outer === outer && each.family.organ === organ && each.family.head === head;
    const known = done.find(same);
    if (known) return known;
    const organs = organsOf(model, modules, family, prefix, outer);
    const reading = { family, outer, prefix, organs, paths: new Set(organs.keys()) };
    done.push(reading);
    return reading;
  };
}

interface Reading extends Found {
  readonly prefix: string;
  /** What stands before the encoder's own attribute. */
  readonly outer: string;
  readonly paths: ReadonlySet<string>;
}

/** Ends of the names of modules among which every family's query is: cheap, so that the families look at few. */
const queryEnds = ['query', 'query_proj', 'q_lin', '.q', 'q_proj', 'Wqkv', 'in_proj', 'qkv_proj'];

/** One of each kind: layers differ in their numbers only. */
function queriesIn(modules: ReadonlyMap<string, Organ>): string[] {
  const kinds = new Map<string, string>();
  for (const module of modules.keys()) {
    if (!queryEnds.some(end => module.endsWith(end))) continue;
    const kind = module.replace(/\d+/g, '0');
    if (!kinds.has(kind)) kinds.set(kind, module);
  }
  return [...kinds.values()];
}

function prefixOf(queries: readonly string[], family: Family): string | undefined {
  for (const module of queries) {
    const match = `${module}.weight`.match(family.query);
    if (match) return match[1];
  }
  return undefined;
}

const part = new RegExp(`^(.+)\\.(weight|bias|gamma|beta|weight_scale|weight_zero_point|${packedParts})$`);
const parts: ReadonlyMap<string, string> = new Map([
  ['weight', 'weight'],
  ['bias', 'bias'],
  ['gamma', 'weight'],
  ['beta', 'bias'],
]);

/** Tensors by the module they belong to; a layer that an adapter wraps is that layer, and a tensor that torchao left as it was, or that is parametrized, that tensor. A parameter that belongs to none is one by itself, with the part ''. */
function modulesOf({ tensors }: Model): Map<string, Organ> {
  const modules = new Map<string, Organ>();
  for (const tensor of tensors.values()) {
    if (tensor.name.length > longestPath) continue;
    const place = placeOf(tensor);
    if (!place || place.own.endsWith('inv_freq')) continue;
    const { own, kind } = place;
    const module = own.endsWith('.base_layer') ? own.slice(0, -'.base_layer'.length) : own;
    const organ: Organ = modules.get(module) ?? {};
    modules.set(module, organ);
    organ[kind] ??= tensor;
  }
  return modules;
}

/** The module of a tensor, and which part of it the tensor is: one of a closed list. undefined for what is no part of any. */
function placeOf(tensor: Tensor): { readonly own: string; readonly kind: string } | undefined {
  const { name } = tensor;
  const dot = name.lastIndexOf('.');
  // Nearly every tensor of nearly every file; there may be 50,000.
  const plain = dot > 0 ? parts.get(name.slice(dot + 1)) : undefined;
  if (plain && /^[\w.]+$/.test(name)) return { own: name.slice(0, dot), kind: plain };
  const bare = name.replace(/:(data|original_weight)$/, '').replace(/\.parametrizations\.(\w+)\.original$/, '.$1');
  const match = bare.match(part);
  if (match) return { own: match[1]!, kind: parts.get(match[2]!) ?? match[2]! };
  return isFloat(tensor) ? { own: bare, kind: '' } : undefined;
}

/** Every module that belongs to the model, by its path in BERT's words. */
function organsOf(
  model: Model,
  modules: ReadonlyMap<string, Organ>,
  family: Family,
  prefix: string,
  outer: string,
): Map<string, Organ> {
  const organs = new Map<string, Organ>();
  for (const [module, organ] of modules) {
    const path = pathIn(module, prefix, outer, family, model.config);
    if (path !== undefined && !organs.has(path)) organs.set(path, organ);
  }
  return organs;
}

/** Heads that are put on any family: sentence-transformers' and ColBERT's linear, transformers' summary, the answer head of BigBird, LUKE's of entities. */
const anyHead = /^((\d+\.)?linear|sequence_summary\.summary|(qa_classifier|entity_predictions)(\..+)?)$/;

/** The encoder's organs stand below the prefix; heads below it, beside it, or at the root. */
function pathIn(module: string, prefix: string, outer: string, family: Family, config: Model['config']): string | undefined {
  if (module.startsWith(prefix)) {
    const organ = family.organ(module.slice(prefix.length), config);
    if (organ) return organ;
  }
  for (const start of [prefix, outer, '']) {
    const path = module.startsWith(start) ? module.slice(start.length) : undefined;
    if (path !== undefined && (topPath(path) === path || anyHead.test(path) || family.head?.test(path))) return path;
  }
  return undefined;
}
