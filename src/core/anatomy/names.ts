import type { Model, Warning } from '../model/model.ts';
import type { ExtraOrgan, Layer, Table } from './anatomy.ts';
import { isFloat } from './constant.ts';
import type { Draft } from './draft.ts';
import { extraOrgan } from './extra.ts';
import type { Family } from './families/family.ts';
import { families, familyOf } from './families/registry.ts';
import { embeddingIds, topPath } from './ids.ts';
import { linear, norm, type Organ, table } from './modules.ts';
import { layersOf, type Named } from './names-layers.ts';
import { topOf } from './names-top.ts';
import { packedIn, packedParts } from './packed.ts';
import { taskOf } from './tasks.ts';

export { headsOf } from './names-heads.ts';

/** The anatomy of a checkpoint from the names of its tensors; undefined when no family has such names. */
export async function readNames(model: Model, signal?: AbortSignal): Promise<Draft | undefined> {
  const modules = modulesOf(model);
  const queries = [...modules.keys()].filter(module => mayBeQuery.test(module));
  const stated = familyOf(model.config.model_type);
  const found = families.flatMap(family => {
    const prefix = prefixOf(queries, family);
    return prefix === undefined ? [] : [{ family, organs: organsOf(model, modules, family, prefix) }];
  });
  const chosen =
    found.find(({ family }) => family === stated) ??
    found.find(({ family, organs }) => family.tells(new Set(organs.keys()), model.tensors));
  if (!chosen) return undefined;
  const packed = await packedIn(model, chosen.organs.values(), signal);
  return draftOf({ model, ...chosen, packed }, signal);
}

/** Of the names of modules, those among which every family's query is: cheap, so that the families look at few. */
const mayBeQuery = /(query|query_proj|q_lin|\.q|q_proj|Wqkv|in_proj|qkv_proj)$/;

function prefixOf(queries: readonly string[], family: Family): string | undefined {
  for (const module of queries) {
    const match = `${module}.weight`.match(family.query);
    if (match) return match[1];
  }
  return undefined;
}

const part = new RegExp(`^(.+)\\.(weight|bias|gamma|beta|weight_scale|weight_zero_point|${packedParts})$`);
const parts: Readonly<Record<string, string>> = { gamma: 'weight', beta: 'bias' };

/** Tensors by the module they belong to; a layer that an adapter wraps is that layer, and a tensor that torchao left as it was that tensor. A parameter that belongs to none is one by itself, with the part ''. */
function modulesOf({ tensors }: Model): Map<string, Organ> {
  const modules = new Map<string, Organ>();
  for (const tensor of tensors.values()) {
    const name = tensor.name.replace(/:(data|original_weight)$/, '');
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
function organsOf(model: Model, modules: ReadonlyMap<string, Organ>, family: Family, prefix: string): Map<string, Organ> {
  const organs = new Map<string, Organ>();
  const outer = prefix.endsWith(family.base) ? prefix.slice(0, -family.base.length) : prefix;
  for (const [module, organ] of modules) {
    const path = pathIn(module, prefix, outer, family, model.config);
    if (path !== undefined && !organs.has(path)) organs.set(path, organ);
  }
  return organs;
}

/** Heads that are put on any family: sentence-transformers' and ColBERT's linear, transformers' summary, the answer head of BigBird. */
const anyHead = /^((\d+\.)?linear|sequence_summary\.summary|qa_classifier\..+)$/;

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

async function draftOf(named: Named, signal?: AbortSignal): Promise<Draft | undefined> {
  const { model, family, organs, packed } = named;
  const warnings: Warning[] = [];
  const layers = layersOf(named, warnings);
  if (layers.length === 0) return undefined;
  const projection = family.projection && linear(family.projection, organs.get(family.projection), packed);
  const { tables, embeddingExtra, encoderExtra } = around(named);
  const copies = new Map<string, string>();
  const top = await topOf(named, tables[0], copies, signal);
  const stated = model.config.model_type;
  const hidden = hiddenOf(layers[0]!);
  return {
    family: typeof stated === 'string' ? stated : family.id,
    task: taskOf(
      model,
      top.map(organ => organ.id),
    ),
    layers,
    ...(hidden && { hidden }),
    tables,
    embeddingNorm: norm(embeddingIds.norm, organs.get(embeddingIds.norm)),
    ...(projection && { embeddingProjection: projection }),
    ...(embeddingExtra.length > 0 && { embeddingExtra }),
    ...(encoderExtra.length > 0 && { encoderExtra }),
    top,
    copies,
    warnings,
  };
}

/** What the layer's bottleneck reads, where it has one. */
const hiddenOf = ({ extra = [] }: Layer): number | undefined =>
  extra.find(({ id }) => id.endsWith('.bottleneck.input.dense'))?.linear?.in;

/** Tables, those of words, positions and token types first, and what else stands before the layers or around them. */
function around({ family, organs, packed }: Named) {
  const first: readonly string[] = [embeddingIds.word, embeddingIds.position, embeddingIds.tokenType];
  const tables: Table[] = first.flatMap(id => table(id, organs.get(id), packed) ?? []);
  const known = new Set([...tables.map(({ id }) => id), embeddingIds.norm, family.projection]);
  const embeddingExtra: ExtraOrgan[] = [];
  const encoderExtra: ExtraOrgan[] = [];
  for (const [id, organ] of organs) {
    if (known.has(id) || !/^(embeddings|encoder)\.(?!layer\.\d)/.test(id)) continue;
    const extra = extraOrgan(id, organ, packed);
    if (!extra) continue;
    if (id.startsWith('encoder.')) encoderExtra.push(extra);
    else if (extra.table) tables.push(extra.table);
    else embeddingExtra.push(extra);
  }
  return { tables, embeddingExtra, encoderExtra };
}
