import { fours } from './memory.ts';
import type { Symmetric32Memory } from './symmetric32.ts';

/** Elements worked on between two pauses: some 10 ms. */
const STEP = 16e6;

/** What a symmetric matrix becomes between two orthogonal ones: a diagonal, the values beside it, and the reflectors that lead there. */
export interface Tridiagonal32 {
  readonly diagonal: Float64Array;
  readonly beside: Float64Array;
  /** Half the squared length of reflector i; 0 where there is none. */
  readonly halves: Float64Array;
  /** Reflector i is the first i elements of row i, rows `stride` apart: in the memory that was given. */
  readonly reflectors: Float32Array;
  readonly stride: number;
}

/** Rows of a power of two would share the cache's few places for them. */
const strideOf = (n: number): number => fours(n) + 4;

/** f32 elements for a matrix, a row behind it, and two vectors. */
export const tridiagonalSize = (n: number): number => strideOf(n) * (n + 3);

/**
 * Householder reduction of the symmetric a [n, n], of which the lower triangle is read, in f32: half the time of f64.
 * `pause` is awaited between steps: what it throws ends the work. The memory has room for tridiagonalSize(n).
 * Source: EISPACK tred1.
 */
export async function tridiagonal32(
  a: Float32Array,
  n: number,
  { memory, kernels }: Symmetric32Memory,
  pause: () => Promise<void>,
): Promise<Tridiagonal32> {
  const stride = strideOf(n);
  for (let r = 0; r < n; r++) memory.set(a.subarray(r * n, r * n + r + 1), r * stride);
  const [diagonal, beside, halves] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
  const [u, q] = [(n + 1) * stride, (n + 2) * stride];
  let worked = 0;
  for (let i = n - 1; i > 0; i--) {
    const row = memory.subarray(i * stride, i * stride + i);
    diagonal[i] = memory[i * stride + i]!;
    let before = 0;
    for (let k = 0; k < i - 1; k++) before += row[k]! * row[k]!;
    const last = row[i - 1]!;
    if (before <= 0) {
      beside[i - 1] = last;
      continue;
    }
    const length = last >= 0 ? -Math.sqrt(before + last * last) : Math.sqrt(before + last * last);
    beside[i - 1] = length;
    row[i - 1] = last - length;
    const half = (before + row[i - 1]! ** 2) / 2;
    halves[i] = half;
    memory.set(row, u);
    memory.fill(0, u + i, u + fours(i));
    memory.fill(0, q, q + fours(i));
    kernels.symmetricProduct32(0, stride, i, u, q);
    let along = 0;
    for (let k = 0; k < i; k++) along += memory[u + k]! * memory[q + k]!;
    along /= 2 * half * half;
    for (let k = 0; k < i; k++) memory[q + k] = memory[q + k]! / half - along * memory[u + k]!;
    kernels.rankTwoUpdate32(0, stride, i, u, q);
    worked += i * i;
    if (worked > STEP) {
      worked = 0;
      await pause();
    }
  }
  if (n > 0) diagonal[0] = memory[0]!;
  return { diagonal, beside, halves, reflectors: memory, stride };
}
