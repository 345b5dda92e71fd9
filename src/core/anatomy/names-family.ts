import type { Model } from '../model/model.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { isFloat } from './constant.ts';
import type { Family } from './families/family.ts';
import { families, familyOf } from './families/registry.ts';
import { embeddingIds, longestPath, topPath } from './ids.ts';
import { type Organ, withoutFactor } from './modules.ts';
import { packedParts } from './packed.ts';

/** A family, and the modules of a checkpoint by their paths in BERT's words. */
export interface Found {
  readonly family: Family;
  readonly organs: ReadonlyMap<string, Organ>;
}

/** The family that config.json states, if the names are its; otherwise the first that the names tell. */
export function familyIn(model: Model): Found | undefined {
  const modules = modulesOf(model);
  const few = oneOfEachKind(modules);
  const queries = [...few.keys()].map(withoutFactor).filter(module => queryEnds.some(end => module.endsWith(end)));
  const found = families.flatMap(family => {
    const prefix = prefixOf(queries, family);
    return prefix === undefined ? [] : [{ family, prefix }];
  });
  const stated = familyOf(model.config.model_type);
  const chosen = found.find(({ family }) => family === stated) ?? found.find(each => isTold(model, few, each));
  return chosen && { family: chosen.family, organs: organsOf(model, modules, chosen) };
}

/** A family that has the modules' queries, and what stands before the encoder's organs. */
interface Candidate {
  readonly family: Family;
  readonly prefix: string;
}

function isTold(model: Model, few: ReadonlyMap<string, Organ>, candidate: Candidate): boolean {
  const paths = new Set([...organsOf(model, few, candidate).keys()].map(withoutFactor));
  const tensors = [...few.values()].flatMap(organ => Object.values(organ).flatMap(tensor => tensor ?? []));
  return candidate.family.tells(paths, new Map(tensors.map(tensor => [tensor.name, tensor])));
}

/** Ends of the names of modules among which every family's query is: cheap, so that the families look at few. */
const queryEnds = ['query', 'query_proj', 'q_lin', '.q', 'q_proj', 'Wqkv', 'in_proj', 'qkv_proj'];

/** Layers differ in their numbers only, and a model may have thousands: the first module of each kind tells the family. */
function oneOfEachKind(modules: ReadonlyMap<string, Organ>): Map<string, Organ> {
  const kinds = new Set<string>();
  const few = new Map<string, Organ>();
  modules.forEach((organ, module) => {
    const kind = module.replace(/\.\d+(?=\.)/g, '.0');
    if (kinds.has(kind)) return;
    kinds.add(kind);
    few.set(module, organ);
  });
  return few;
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
function organsOf(model: Model, modules: ReadonlyMap<string, Organ>, { family, prefix }: Candidate): Map<string, Organ> {
  // What stands before the encoder's own attribute.
  const outer = prefix.endsWith(family.base) ? prefix.slice(0, -family.base.length) : prefix;
  const organs = new Map<string, Organ>();
  modules.forEach((organ, module) => {
    const path = pathIn(module, prefix, outer, family, model.config);
    if (path !== undefined && !organs.has(path)) organs.set(path, organ);
  });
  return organs;
}

/** Heads that are put on any family: sentence-transformers' and ColBERT's linear, transformers' summary, the answer head of BigBird, LUKE's of entities. */
const anyHead = /^((\d+\.)?linear|sequence_summary\.summary|(qa_classifier|entity_predictions)(\..+)?)$/;

/** The encoder's organs stand below the prefix; heads below it, beside it, or at the root. */
function pathIn(module: string, prefix: string, outer: string, family: Family, config: Model['config']): string | undefined {
  if (module.startsWith(prefix)) {
    const whole = withoutFactor(module);
    const organ = family.organ(whole.slice(prefix.length), config);
    if (organ) return organ + module.slice(whole.length);
    if (whole.slice(prefix.length) === embeddingIds.transformation) return embeddingIds.transformation;
  }
  for (const start of [prefix, outer, '']) {
    const path = module.startsWith(start) ? module.slice(start.length) : undefined;
    if (path !== undefined && (topPath(path) === path || anyHead.test(path) || family.head?.test(path))) return path;
  }
  return undefined;
}
