import { sentence } from '../errors.ts';
import type { Model, Warning } from '../model/model.ts';
import type { Layer } from './anatomy.ts';
import type { Draft } from './draft.ts';
import { count, type Family } from './families/family.ts';
import { families, familyOf } from './families/registry.ts';
import { embeddingIds, layerIds, topPath } from './ids.ts';
import { linear, norm, type Organ, table } from './modules.ts';
import { topOf } from './names-top.ts';
import { taskOf } from './tasks.ts';

/** The anatomy of a checkpoint from the names of its tensors; undefined when no family has such names. */
export async function readNames(model: Model, signal?: AbortSignal): Promise<Draft | undefined> {
  const stated = familyOf(model.config.model_type);
  const found = families.flatMap(family => {
    const prefix = prefixOf(model, family);
    return prefix === undefined ? [] : [{ family, organs: organsOf(model, family, prefix) }];
  });
  const chosen =
    found.find(({ family }) => family === stated) ??
    found.find(({ family, organs }) => family.tells(new Set(organs.keys()), model.tensors));
  return chosen && draftOf(model, chosen.family, chosen.organs, signal);
}

function prefixOf({ tensors }: Model, family: Family): string | undefined {
  for (const name of tensors.keys()) {
    const match = name.match(family.query);
    if (match) return match[1];
  }
  return undefined;
}

const part = /^(.+)\.(weight|bias|gamma|beta|weight_scale|weight_zero_point)$/;
const parts: Readonly<Record<string, string>> = { gamma: 'weight', beta: 'bias' };

/** Every module that belongs to the model, by its path in BERT's words. */
function organsOf(model: Model, family: Family, prefix: string): Map<string, Organ> {
  const organs = new Map<string, Organ>();
  const outer = prefix.endsWith(family.base) ? prefix.slice(0, -family.base.length) : prefix;
  for (const tensor of model.tensors.values()) {
    const [, module, kind] = tensor.name.match(part) ?? [];
    if (module === undefined || kind === undefined) continue;
    const path = pathIn(module, prefix, outer, family, model.config);
    if (path === undefined) continue;
    const organ = organs.get(path) ?? {};
    organs.set(path, organ);
    organ[parts[kind] ?? kind] ??= tensor;
  }
  return organs;
}

/** The encoder's organs stand below the prefix; heads below it, beside it, or at the root. */
function pathIn(module: string, prefix: string, outer: string, family: Family, config: Model['config']): string | undefined {
  if (module.startsWith(prefix)) {
    const organ = family.organ(module.slice(prefix.length), config);
    if (organ) return organ;
  }
  for (const start of [prefix, outer, '']) {
    const path = module.startsWith(start) ? module.slice(start.length) : undefined;
    if (path !== undefined && topPath(path) === path) return path;
  }
  return undefined;
}

async function draftOf(model: Model, family: Family, organs: Map<string, Organ>, signal?: AbortSignal) {
  const warnings: Warning[] = [];
  const layers = layersOf(model, family, organs, warnings);
  if (layers.length === 0) return undefined;
  const tables = [embeddingIds.word, embeddingIds.position, embeddingIds.tokenType].flatMap(
    id => table(id, organs.get(id)) ?? [],
  );
  const embeddingNorm = norm(embeddingIds.norm, organs.get(embeddingIds.norm));
  const projection = family.projection && linear(family.projection, organs.get(family.projection));
  const copies = new Map<string, string>();
  const top = await topOf(family, organs, tables[0], copies, signal);
  const stated = model.config.model_type;
  return {
    family: typeof stated === 'string' ? stated : family.id,
    task: taskOf(
      model,
      top.map(organ => organ.id),
    ),
    layers,
    tables,
    embeddingNorm,
    ...(projection && { embeddingProjection: projection }),
    top,
    copies,
    warnings,
  };
}

function layersOf(model: Model, family: Family, organs: ReadonlyMap<string, Organ>, warnings: Warning[]): Layer[] {
  const stored = new Set<number>();
  for (const path of organs.keys()) {
    const match = path.match(/^encoder\.layer\.(\d+)\./);
    if (match) stored.add(Number(match[1]));
  }
  const order = [...stored].sort((a, b) => a - b);
  if (family.runs && count(model.config, 'num_hidden_layers') === undefined)
    warnings.push({
      code: 'layers-unknown',
      message: sentence(
        'How often the shared layer runs is not stated: config.json is missing or does not say num_hidden_layers.',
      ),
    });
  const runs = family.runs?.(order.length, model.config) ?? order.map((_, index) => index);
  return runs.flatMap((at, index) => layer(model, organs, order[at]!, index, runs.indexOf(at)) ?? []);
}

/** One executed layer; undefined when a matrix of it is missing, as in a model with a shard missing. */
function layer(model: Model, organs: ReadonlyMap<string, Organ>, from: number, index: number, stored: number): Layer | undefined {
  const [names, ids] = [layerIds(from), layerIds(index)];
  const matrix = (key: 'query' | 'key' | 'value' | 'output' | 'up' | 'down') => linear(ids[key], organs.get(names[key]));
  const [query, key, value, output, up, down] = [
    matrix('query'),
    matrix('key'),
    matrix('value'),
    matrix('output'),
    matrix('up'),
    matrix('down'),
  ];
  if (!query || !key || !value || !output || !up || !down) return undefined;
  const attentionNorm = norm(ids.attentionNorm, organs.get(names.attentionNorm));
  const outputNorm = norm(ids.outputNorm, organs.get(names.outputNorm));
  return { index, stored, ...headsOf(model, query), query, key, value, output, attentionNorm, up, down, outputNorm };
}

/** From config.json alone: nothing in a checkpoint's shapes tells 12 heads of 32 from 6 of 64. */
export function headsOf(
  { config }: Model,
  query: { readonly in: number; readonly out: number },
): { heads: number; headDim: number } {
  const stated = count(config, 'num_attention_heads', 'n_heads');
  const width =
    count(config, 'head_dim', 'attention_head_size') ?? (stated && (count(config, 'hidden_size', 'dim') ?? query.in) / stated);
  if (!width || query.out % width !== 0) return { heads: 0, headDim: 0 };
  return { heads: query.out / width, headDim: width };
}
