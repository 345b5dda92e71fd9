import { type Anatomy, type Layer, type Linear, linearsIn, type Table } from '../anatomy/anatomy.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { HeatMap } from './inside.ts';

/** The organ whose matrix a tensor is. */
export function organOf(tensor: Tensor, { layers, linears, tables }: Anatomy): Linear | Table | undefined {
  const isIts = ({ weight }: Linear | Table): boolean =>
    weight === tensor || (weight.name === tensor.name && weight.shape.join() === tensor.shape.join());
  for (const layer of layers) {
    const found = linearsIn(layer).find(isIts);
    if (found) return found;
  }
  return linears.find(isIts) ?? tables.find(isIts);
}

/** Query, key and value have a head in every `headDim` rows, the attention's output in as many columns. */
export function headsOf(organ: Linear | Table, { layers }: Anatomy): HeatMap['heads'] {
  const layer = layers.find(({ query, key, value, output }) => [query, key, value, output].some(it => it === organ));
  if (!layer || !('out' in organ)) return undefined;
  const axis = organ === layer.output ? 'columns' : 'rows';
  const length = axis === 'rows' ? organ.out : organ.in;
  return splitsInto(layer, length)
    ? { axis, boundaries: Array.from({ length: layer.heads + 1 }, (_, head) => head * layer.headDim) }
    : undefined;
}

export const splitsInto = ({ heads, headDim }: Layer, length: number): boolean => heads > 0 && heads * headDim === length;
