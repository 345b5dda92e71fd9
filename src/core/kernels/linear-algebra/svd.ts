import { openGram } from '../gram.ts';
import { products } from './product.ts';
import { topEigen } from './top-eigen.ts';

/** matrix [rows, columns] ~ left [rows, rank] * diag(values) * right [rank, columns]. */
export interface Svd {
  /** All of them, largest first: min(rows, columns). */
  readonly values: Float64Array;
  readonly rank: number;
  /** Orthonormal columns; zeros where the singular value is 0. */
  readonly left: Float32Array;
  /** Orthonormal rows, likewise. */
  readonly right: Float32Array;
}

/** Vectors summed over between two pauses: some 20 ms at 768 of them. */
const STEP = 512;

/** Below this share of the largest, squares of singular values drown in the rounding of f64. */
const NOTHING = 1e-7;

/**
 * The singular value decomposition, cut off at `rank`, through the eigenvectors of the smaller Gram matrix, which is summed in f64:
 * values above 1e-5 of the largest are within 1e-4 of themselves, and smaller ones do not matter to what is left at any rank.
 * `pause` is awaited between steps: what it throws ends the work. Memory: 40 min(rows, columns)^2 bytes beside matrix and result.
 */
export async function svd(
  matrix: Float32Array,
  rows: number,
  columns: number,
  rank: number = Math.min(rows, columns),
  pause: () => Promise<void> = async () => {},
): Promise<Svd> {
  const tall = rows >= columns;
  const [few, many] = tall ? [columns, rows] : [rows, columns];
  // The few vectors that the Gram matrix is made of, and the many across.
  const [along, across] = tall ? [1, columns] : [columns, 1];
  const gram = openGram(few);
  gram.start(few);
  for (let first = 0; first < many; first += STEP) {
    await pause();
    gram.add(matrix.subarray(first * across), Math.min(STEP, many - first), along, across);
  }
  const kept = Math.min(rank, few);
  const { values: squares, vectors } = await topEigen(gram.values(), few, kept, NOTHING * NOTHING, pause);
  const values = squares.map(square => Math.sqrt(Math.max(0, square)));
  const inner = { values: vectors, count: kept, vectorStride: few, elementStride: 1 };
  const outer = { values: matrix, count: many, vectorStride: across, elementStride: along };
  const scale = values.map(value => (value > NOTHING * values[0]! ? 1 / value : 0));
  if (tall) {
    const left = await products(outer, inner, few, new Float32Array(many * kept), pause);
    for (let i = 0; i < left.length; i++) left[i]! *= scale[i % kept]!;
    return { values, rank: kept, left, right: Float32Array.from(vectors.subarray(0, kept * few)) };
  }
  const right = await products(inner, outer, few, new Float32Array(kept * many), pause);
  for (let i = 0; i < right.length; i++) right[i]! *= scale[Math.floor(i / many)]!;
  const left = new Float32Array(few * kept);
  for (let r = 0; r < few; r++) for (let c = 0; c < kept; c++) left[r * kept + c] = vectors[c * few + r]!;
  return { values, rank: kept, left, right };
}
