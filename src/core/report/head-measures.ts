import type { Anatomy, Layer, Linear } from '../anatomy/anatomy.ts';
import type { HeadMeasure } from './inside.ts';
import { splitsInto } from './organ-of.ts';
import { elementRuns, matrixOf } from './tensor-matrix.ts';

/** What is known of each head of a layer, added up over its matrices. */
interface Sums {
  readonly squares: Float64Array;
  readonly zeros: Float64Array;
  readonly counts: Float64Array;
}

/**
 * Norm and zeros of every head, from its rows of query, key and value and its columns of the output projection, as they act.
 * Layers that do not split evenly into heads are left out, and those of which a matrix cannot be read as it acts (packed, or its scales not
 * understood). Non-finite weights count as weights, but add nothing to the norm.
 */
export async function headMeasures(
  anatomy: Anatomy,
  signal?: AbortSignal,
  progress?: (done: number, total: number, what: string) => void,
): Promise<HeadMeasure[]> {
  const { layers } = anatomy;
  const known = new Map<number, HeadMeasure[]>();
  const measures: HeadMeasure[] = [];
  for (const [done, layer] of layers.entries()) {
    progress?.(done, layers.length, layer.query.id);
    if (!known.has(layer.stored)) known.set(layer.stored, await measuresOf(layer, signal));
    for (const measure of known.get(layer.stored)!) measures.push({ ...measure, layer: layer.index });
  }
  return measures;
}

async function measuresOf(layer: Layer, signal?: AbortSignal): Promise<HeadMeasure[]> {
  const { query, key, value, output, heads } = layer;
  if (![query.out, key.out, value.out, output.in].every(length => splitsInto(layer, length))) return [];
  const sums: Sums = { squares: new Float64Array(heads), zeros: new Float64Array(heads), counts: new Float64Array(heads) };
  for (const linear of [query, key, value, output])
    if (!(await addHeads(linear, linear === output ? 'columns' : 'rows', layer.headDim, sums, signal))) return [];
  return Array.from(sums.counts, (count, head) => ({
    layer: layer.index,
    head,
    norm: Math.sqrt(sums.squares[head]!),
    zeros: count === 0 ? 0 : sums.zeros[head]! / count,
  }));
}

/** Adds a matrix whose heads lie along an axis of the matrix as it acts. false where it cannot be read as that. */
async function addHeads(
  linear: Linear,
  axis: 'rows' | 'columns',
  headDim: number,
  { squares, zeros, counts }: Sums,
  signal?: AbortSignal,
): Promise<boolean> {
  const matrix = await matrixOf(linear.weight, linear, signal);
  if (!matrix || (linear.packed && !matrix.acting) || matrix.acting !== (linear.form === 'quantized')) return false;
  const [rows, across] = linear.transposed ? [linear.in, linear.out] : [linear.out, linear.in];
  if (matrix.rows !== rows || matrix.columns !== across) return false;
  const { columns } = matrix;
  const alongColumns = (axis === 'columns') !== linear.transposed;
  for await (const { start, values } of elementRuns(matrix, 0, matrix.rows * columns, signal)) {
    for (let i = 0; i < values.length; ) {
      const [row, column] = [Math.floor((start + i) / columns), (start + i) % columns];
      const head = Math.floor((alongColumns ? column : row) / headDim);
      const length = alongColumns ? (head + 1) * headDim - column : columns - column;
      const stop = Math.min(values.length, i + length);
      counts[head]! += stop - i;
      let [square, zero] = [0, 0];
      for (; i < stop; i++) {
        const value = values[i]!;
        if (value - value === 0) square += value * value;
        if (value === 0) zero++;
      }
      squares[head]! += square;
      zeros[head]! += zero;
    }
  }
  return true;
}
