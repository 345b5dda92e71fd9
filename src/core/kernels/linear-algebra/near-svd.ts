import { implicitQL } from '../eigenvalues.ts';
import type { Product32 } from './product32.ts';
import { reflect32 } from './reflect.ts';
import type { Svd } from './svd.ts';
import { borrowSymmetric32, giveBackSymmetric32 } from './symmetric32.ts';
import { inverseIteration } from './top-eigen.ts';
import { tridiagonal32, tridiagonalSize } from './tridiagonal32.ts';

/** What is lost, over the largest square: from here on the rounding of f32 sums cannot cost 0.1 % of it. */
const LEAST_LOSS = 0.01;

/**
 * Like svd, in fp32 through the smaller Gram matrix with the large products made by `product`: what is lost at the rank is within
 * 0.1 % of the least that can be, and the values before it are within 1e-4 of themselves. undefined where fp32 does not suffice for that:
 * next to nothing would be lost, or numbers are not finite. `pause` is awaited between steps: what it throws ends the work.
 * Memory: 4 n^2 bytes of WebAssembly and some 20 n^2 beside matrix and result, n = min(rows, columns).
 */
export async function nearSvd(
  matrix: Float32Array,
  rows: number,
  columns: number,
  rank: number,
  product: Product32,
  pause: () => Promise<void> = async () => {},
): Promise<Svd | undefined> {
  const tall = rows >= columns;
  const [few, many] = tall ? [columns, rows] : [rows, columns];
  if (rank >= few) return undefined;
  await pause();
  const gram = await product(matrix, matrix, few, few, many, tall ? 'a' : 'b');
  const found = await topVectors(gram, few, rank, product, pause);
  if (!found) return undefined;
  const { values, vectors } = found;
  await pause();
  if (tall) {
    const left = await product(matrix, vectors, rows, rank, columns, 'b');
    for (let o = 0, i = 0; o < rows; o++) for (let r = 0; r < rank; r++, i++) left[i]! /= values[r]!;
    return { values, rank, left, right: vectors };
  }
  const right = await product(vectors, matrix, rank, columns, rows);
  for (let r = 0; r < rank; r++) for (let i = r * columns; i < (r + 1) * columns; i++) right[i]! /= values[r]!;
  const left = new Float32Array(rows * rank);
  for (let r = 0; r < rank; r++) for (let o = 0; o < rows; o++) left[o * rank + r] = vectors[r * rows + o]!;
  return { values, rank, left, right };
}

/** The roots of all eigenvalues, and the vectors of the largest, [count, n]. */
async function topVectors(
  gram: Float32Array,
  n: number,
  count: number,
  product: Product32,
  pause: () => Promise<void>,
): Promise<{ readonly values: Float64Array; readonly vectors: Float32Array } | undefined> {
  for (let i = 0; i < n; i++) if (!Number.isFinite(gram[i * n + i]!)) return undefined;
  const place = borrowSymmetric32(tridiagonalSize(n));
  try {
    const found = await tridiagonal32(gram, n, place, pause);
    const squares = implicitQL(Float64Array.from(found.diagonal), Float64Array.from(found.beside)).sort().reverse();
    let lost = 0;
    for (let i = count; i < n; i++) lost += Math.max(0, squares[i]!);
    if (!(lost > LEAST_LOSS * squares[0]!)) return undefined;
    const rows = new Float64Array(count * n);
    await inverseIteration(found.diagonal, found.beside, squares.subarray(0, count), rows, n, pause, 'f32');
    const vectors = Float32Array.from(rows);
    await reflect32(vectors, count, n, found, product);
    return { values: squares.map(square => Math.sqrt(Math.max(0, square))), vectors };
  } finally {
    giveBackSymmetric32(place);
  }
}
