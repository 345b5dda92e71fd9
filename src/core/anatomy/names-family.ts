import type { Model } from '../model/model.ts';
import { isFloat } from './constant.ts';
import type { Family } from './families/family.ts';
import { families, familyOf } from './families/registry.ts';
import { embeddingIds, longestPath, topPath } from './ids.ts';
import { factorEnds, type Organ } from './modules.ts';
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
    const paths = new Set([...organs.keys()].map(path => path.replace(factorEnds, '')));
    const reading = { family, outer, prefix, organs, paths };
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

/** Of the names of modules, those among which every family's query is: cheap, so that the families look at few. */
const mayBeQuery = /(query|query_proj|q_lin|\.q|q_proj|Wqkv|in_proj|qkv_proj)$/;

/** One of each kind: layers differ in their numbers only. */
function queriesIn(modules: ReadonlyMap<string, Organ>): string[] {
  const kinds = new Map<string, string>();
  for (const stored of modules.keys()) {
    const module = stored.replace(factorEnds, '');
    if (!mayBeQuery.test(module)) continue;
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
const parts: Readonly<Record<string, string>> = { gamma: 'weight', beta: 'bias' };

/** Tensors by the module they belong to; a layer that an adapter wraps is that layer, and a tensor that torchao left as it was, or that is parametrized, that tensor. A parameter that belongs to none is one by itself, with the part ''. */
function modulesOf({ tensors }: Model): Map<string, Organ> {
  const modules = new Map<string, Organ>();
  for (const tensor of tensors.values()) {
    if (tensor.name.length > longestPath) continue;
    const name = tensor.name.replace(/:(data|original_weight)$/, '').replace(/\.parametrizations\.(\w+)\.original$/, '.$1');
    const [, own, kind] = name.match(part) ?? (isFloat(tensor) ? ['', name, ''] : []);
    if (own === undefined || kind === undefined || own.endsWith('inv_freq')) continue;
    const module = own.replace(/\.base_layer$/, '');
    const organ: Organ = modules.get(module) ?? Object.create(null);
    modules.set(module, organ);
    organ[parts[kind] ?? kind] ??= tensor;
  }
  return modules;
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
    const [end = ''] = module.match(factorEnds) ?? [];
    const organ = family.organ(module.slice(prefix.length, module.length - end.length), config);
    if (organ) return organ + end;
    if (module.slice(prefix.length) === embeddingIds.transformation) return embeddingIds.transformation;
  }
  for (const start of [prefix, outer, '']) {
    const path = module.startsWith(start) ? module.slice(start.length) : undefined;
    if (path !== undefined && (topPath(path) === path || anyHead.test(path) || family.head?.test(path))) return path;
  }
  return undefined;
}
