import { symmetricEigen } from '../../../kernels/linear-algebra/eigen.ts';
import { times } from './product.ts';

// H hidden dimensions before, N after

/**
 * What stays of the hidden states at one norm: N of the H directions. The first is that of all ones, in which a hidden state behind a norm
 * has nothing: turned so that it is that of all ones again, the narrow state has mean 0, and LayerNorm on it is what it was on the wide one.
 * source  Ashkboos et al., SliceGPT, ICLR 2024, with norms behind the halves and their means kept
 */
export interface Subspace {
  /** [H, N], orthonormal columns; a row of ones times it is a multiple of a row of ones. */
  readonly basis_HN: Float64Array;
  /** The same without the direction of ones: what a hidden state, whose mean the norm takes away, is multiplied by. */
  readonly centred_HN: Float64Array;
  /** Of the narrow norm: the root of the mean square that the kept part of a normalized state has. */
  readonly gain: number;
  /** The mean of what is cut from the normalized state. */
  readonly lost_H: Float64Array;
}

/** What is known of normalized hidden states at a norm: their mean [H] and second moment [H, H] over the tokens of the text. */
export interface States {
  readonly mean_H: Float64Array;
  readonly second_HH: Float64Array;
}

/** The directions with the largest second moment. Exact, whatever they are, where all stay. */
export async function principal({ second_HH, mean_H }: States, size: number, pause?: () => Promise<void>): Promise<Subspace> {
  const wide = mean_H.length;
  // The direction of ones has none: lifted above all others, it is the first for certain.
  const lifted = centred(second_HH, wide);
  const trace = traceOf(lifted, wide);
  for (let at = 0; at < lifted.length; at++) lifted[at]! += (2 * trace + 1) / wide;
  const { vectors } = await symmetricEigen(lifted, wide, pause);
  return subspaceOf(vectors.subarray(0, size * wide), { mean_H, second_HH }, pause);
}

/** The channels with the largest scores, as they are. `states` where they are known. */
export async function channels(
  scores_H: Float64Array,
  size: number,
  states: States | undefined,
  pause?: () => Promise<void>,
): Promise<Subspace> {
  const wide = scores_H.length;
  const order = Array.from(scores_H.keys()).sort((a, b) => scores_H[b]! - scores_H[a]! || a - b);
  const rows = new Float64Array(size * wide).fill(1 / Math.sqrt(wide), 0, wide);
  for (let n = 1; n < size; n++) {
    const row = rows.subarray(n * wide, (n + 1) * wide);
    row[order[n - 1]!] = 1;
    orthogonalize(rows, n, wide);
  }
  return subspaceOf(rows, states ?? unknown(wide), pause);
}

/** Gram and Schmidt, twice: row n of rows [_, width] becomes a unit vector orthogonal to those before it. */
function orthogonalize(rows: Float64Array, n: number, width: number): void {
  const row = rows.subarray(n * width, (n + 1) * width);
  for (const _ of [0, 1])
    for (let before = 0; before < n; before++) {
      const other = rows.subarray(before * width, (before + 1) * width);
      let product = 0;
      for (let i = 0; i < width; i++) product += other[i]! * row[i]!;
      for (let i = 0; i < width; i++) row[i]! -= product * other[i]!;
    }
  let squares = 0;
  for (const value of row) squares += value * value;
  const length = Math.sqrt(squares);
  for (let i = 0; i < width; i++) row[i]! /= length;
}

/** Without text: as if every direction had as much. */
function unknown(wide: number): States {
  const second_HH = new Float64Array(wide * wide);
  for (let i = 0; i < wide; i++) second_HH[i * wide + i] = wide / (wide - 1);
  return { mean_H: new Float64Array(wide), second_HH };
}

async function subspaceOf(rows_NH: Float64Array, { mean_H, second_HH }: States, pause?: () => Promise<void>): Promise<Subspace> {
  const wide = mean_H.length;
  const size = rows_NH.length / wide;
  const basis_HN = turnedToOnes(rows_NH, wide, size);
  const centred_HN = withoutMeans(basis_HN, size);
  const moved_HN = await times(second_HH, centred_HN, wide, pause);
  let kept = 0;
  for (let at = 0; at < moved_HN.length; at++) kept += moved_HN[at]! * centred_HN[at]!;
  const all = traceOf(centred(second_HH, wide), wide);
  const gain = all > 0 ? Math.sqrt((kept / all) * (wide / size)) : 1;
  return { basis_HN, centred_HN, gain, lost_H: await cutFrom(mean_H, centred_HN, size) };
}

/** mean - centred centredᵀ mean */
async function cutFrom(mean_H: Float64Array, centred_HN: Float64Array, size: number): Promise<Float64Array> {
  const wide = mean_H.length;
  const kept_N = await times(mean_H, centred_HN, wide);
  const lost_H = mean_H.slice();
  for (let h = 0; h < wide; h++) for (let n = 0; n < size; n++) lost_H[h]! -= centred_HN[h * size + n]! * kept_N[n]!;
  return lost_H;
}

/** The rows as columns, turned by the reflection that swaps the first axis and the direction of ones. */
function turnedToOnes(rows_NH: Float64Array, wide: number, size: number): Float64Array {
  const sign = (rows_NH[0] ?? 0) < 0 ? -1 : 1;
  const axis = new Float64Array(size).fill(-1 / Math.sqrt(size));
  axis[0]! += 1;
  let squares = 0;
  for (const value of axis) squares += value * value;
  const found = new Float64Array(wide * size);
  for (let h = 0; h < wide; h++) {
    const row = found.subarray(h * size, (h + 1) * size);
    for (let n = 0; n < size; n++) row[n] = rows_NH[n * wide + h]! * (n === 0 ? sign : 1);
    if (squares < 1e-15) continue;
    let product = 0;
    for (let n = 0; n < size; n++) product += row[n]! * axis[n]!;
    for (let n = 0; n < size; n++) row[n]! -= (2 * product * axis[n]!) / squares;
  }
  return found;
}

/** Columns [H] less their means. */
function withoutMeans(basis_HN: Float64Array, size: number): Float64Array {
  const wide = basis_HN.length / size;
  const means = new Float64Array(size);
  for (let h = 0; h < wide; h++) for (let n = 0; n < size; n++) means[n]! += basis_HN[h * size + n]! / wide;
  return basis_HN.map((value, at) => value - means[at % size]!);
}

function traceOf(a_HH: Float64Array, wide: number): number {
  let trace = 0;
  for (let i = 0; i < wide; i++) trace += a_HH[i * wide + i]!;
  return trace;
}

/** Rows and columns less their means. */
function centred(a_HH: Float64Array, wide: number): Float64Array {
  const rows = new Float64Array(wide);
  const columns = new Float64Array(wide);
  let all = 0;
  for (let i = 0, at = 0; i < wide; i++)
    for (let j = 0; j < wide; j++, at++) {
      const value = a_HH[at]! / wide;
      rows[i]! += value;
      columns[j]! += value;
      all += value / wide;
    }
  return a_HH.map((value, at) => value - rows[Math.floor(at / wide)]! - columns[at % wide]! + all);
}
