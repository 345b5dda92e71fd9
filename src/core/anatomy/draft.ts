import { sentence } from '../errors.ts';
import type { Model, Warning } from '../model/model.ts';
import { dtypes } from '../tensor/dtype.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Anatomy, type ExtraOrgan, type Layer, type Linear, linearsIn, type Norm, storedOf } from './anatomy.ts';
import { isFloat, mayBeWeight } from './constant.ts';
import { count } from './families/family.ts';

/** What reading names or following a graph finds; the rest of an Anatomy follows from it. */
export type Draft = Pick<
  Anatomy,
  'family' | 'task' | 'layers' | 'tables' | 'embeddingNorm' | 'embeddingProjection' | 'top' | 'copies' | 'notBert'
> &
  Partial<Pick<Anatomy, 'hidden' | 'embeddingExtra' | 'encoderExtra'>> & {
    /** Linears beside those of organs: what a model that is not a BERT multiplies by. */
    readonly loose?: readonly Linear[];
    /** Names of vectors that a graph reads beside its data: buffers, unless an organ claims them. */
    readonly apart?: ReadonlySet<string>;
    readonly warnings?: readonly Warning[];
  };

/** Gives every tensor of the model its place: an organ, a copy, a buffer, or what nobody claims. */
export function finish(model: Model, draft: Draft): Anatomy {
  const { loose: _, apart: __, ...rest } = draft;
  const linears = linearsOf(draft);
  const claimed = new Set<string>();
  const buffers = new Map(parametersBeside(model).map(tensor => [tensor.name, tensor]));
  const keep = (tensor: Tensor | undefined) => {
    if (tensor) buffers.set(tensor.name, tensor);
  };
  for (const organ of [
    ...draft.layers.flatMap(linearsIn),
    ...draft.tables,
    ...extrasOf(draft).flatMap(extra => extra.table ?? []),
    ...linears,
    ...draft.top.flatMap(top => (top.linear ? storedOf(top.linear) : [])),
  ]) {
    claimed.add(organ.weight.name);
    if ('bias' in organ && organ.bias) claimed.add(organ.bias.name);
    keep(organ.scale);
    keep(organ.zeroPoint);
    if ('sums' in organ) keep(organ.sums);
    if ('smoothing' in organ) keep(organ.smoothing);
    organ.packed?.tensors.forEach(keep);
  }
  for (const norm of normsOf(draft)) for (const tensor of [norm.weight, norm.bias]) if (tensor) claimed.add(tensor.name);
  for (const { tensor } of draft.top) if (tensor) claimed.add(tensor.name);
  for (const { tensors = [] } of extrasOf(draft)) for (const [, tensor] of tensors) claimed.add(tensor.name);
  const unclaimed: Tensor[] = [];
  for (const tensor of model.tensors.values()) {
    if (claimed.has(tensor.name) || draft.copies.has(tensor.name) || buffers.has(tensor.name)) continue;
    if (isBuffer(model, tensor) || draft.apart?.has(tensor.name)) buffers.set(tensor.name, tensor);
    else unclaimed.push(tensor);
  }
  const word = draft.tables.find(table => table.id.endsWith('word_embeddings'));
  const warnings = [...(draft.warnings ?? []), ...headWarnings(draft.layers)];
  return {
    ...rest,
    hidden: draft.hidden ?? draft.layers[0]?.query.in ?? 0,
    vocabulary: word?.rows ?? 0,
    positions: positionsOf(model, draft),
    linears,
    unclaimed,
    buffers: [...buffers.values()],
    ...(warnings.length > 0 && { warnings }),
  };
}

/** Rows of the position table; in families without one, up to where config.json says that positions are computed. */
function positionsOf({ config }: Model, { layers, tables }: Draft): number {
  const table = tables.find(({ id }) => id.endsWith('.position_embeddings'));
  if (table || layers.length === 0) return table?.rows ?? 0;
  return count(config, 'max_position_embeddings', 'n_positions') ?? 0;
}

/** What operators read beside data and weights: scales, zero points, sines and cosines of positions. */
function parametersBeside({ graph, tensors }: Model): Tensor[] {
  const found: Tensor[] = [];
  for (const { domain, opType, inputs } of graph?.nodes ?? []) {
    const from = beside.get(domain === '' ? opType : `${domain}.${opType}`) ?? [];
    for (const at of from) {
      const tensor = tensors.get(inputs[at] ?? '');
      if (tensor) found.push(tensor);
    }
  }
  return found;
}

const beside: ReadonlyMap<string, readonly number[]> = new Map([
  ['QuantizeLinear', [1, 2]],
  ['DequantizeLinear', [1, 2]],
  ['com.microsoft.QuantizeLinear', [1, 2]],
  ['com.microsoft.DequantizeLinear', [1, 2]],
  ['QLinearConv', [1, 2, 4, 5, 6, 7]],
  ['RotaryEmbedding', [1, 2]],
  ['com.microsoft.RotaryEmbedding', [2, 3]],
]);

/** Indices, shapes, masks and the angles of rotary positions; in a graph also single numbers (a scale, an epsilon), which no checkpoint knows as parameters. */
function isBuffer(model: Model, tensor: Tensor): boolean {
  if (/(^|\.)inv_freq$/.test(tensor.name)) return true;
  if (!mayBeWeight(tensor) || scalesStored(model, tensor)) return true;
  if (!isFloat(tensor)) return tensor.shape.length < 2;
  return model.graph !== undefined && tensor.shape.every(size => size === 1);
}

/** What scales the integers of the module it stands in: m.weight_scale beside m.weight, as in compressed-tensors, whatever model it is. */
function scalesStored({ tensors }: Model, { name }: Tensor): boolean {
  const module =
    name.endsWith('.weight_scale') || name.endsWith('.weight_zero_point') ? name.slice(0, name.lastIndexOf('.')) : '';
  const weight = module && (tensors.get(`${module}.weight`) ?? tensors.get(`${module}.weight_packed`));
  return weight ? !isFloat(weight) || dtypes[weight.dtype].bits <= 8 : false;
}

/** Each stored matrix once, layers first. */
function linearsOf(draft: Draft): Linear[] {
  const { layers, tables, embeddingProjection, top, loose = [] } = draft;
  const stored = layers.filter(layer => layer.stored === layer.index).flatMap(linearsIn);
  const all = [
    ...stored,
    ...(embeddingProjection ? [embeddingProjection] : []),
    ...[...extrasAround(draft), ...top].flatMap(organ => (organ.linear ? storedOf(organ.linear) : [])),
    ...loose.flatMap(storedOf),
  ];
  const seen = new Set(tables.map(table => table.weight.name));
  return all.filter(({ weight }) => !seen.has(weight.name) && seen.add(weight.name));
}

const extrasAround = ({ embeddingExtra = [], encoderExtra = [] }: Draft): ExtraOrgan[] => [...embeddingExtra, ...encoderExtra];

const extrasOf = (draft: Draft): ExtraOrgan[] => [...extrasAround(draft), ...draft.layers.flatMap(layer => layer.extra ?? [])];

const normsOf = (draft: Draft): Norm[] => [
  ...draft.layers.flatMap(layer => [layer.attentionNorm, layer.outputNorm]),
  ...extrasOf(draft).flatMap(extra => extra.norm ?? []),
  ...(draft.embeddingNorm ? [draft.embeddingNorm] : []),
  ...draft.top.flatMap(organ => organ.norm ?? []),
];

/** Head widths that most BERTs are trained with, asked first. */
const commonWidths = [64, 32, 16];

function headWarnings(layers: readonly Layer[]): Warning[] {
  const unknown = layers.find(layer => layer.heads === 0);
  if (!unknown) return [];
  const { out } = unknown.query;
  const counts = possibleHeads(out);
  const message =
    counts.length > 0
      ? sentence('The number of attention heads is not stated. {hidden} can be split into {counts}.', {
          hidden: out,
          counts: counts.join(', '),
        })
      : sentence('The number of attention heads is not stated.');
  return [{ code: 'heads-unknown', message }];
}

/** How many heads a width may be split into: with common head widths if any fits, otherwise with every one from 8 to 128; ascending. */
export function possibleHeads(out: number): number[] {
  const fits = (width: number) => width <= out && out % width === 0;
  const every = Array.from({ length: 121 }, (_, index) => 128 - index);
  const widths = commonWidths.some(fits) ? commonWidths : every;
  return widths.filter(fits).map(width => out / width);
}
