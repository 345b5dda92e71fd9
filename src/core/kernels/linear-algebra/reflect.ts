import type { Product32 } from './product32.ts';
import type { Tridiagonal32 } from './tridiagonal32.ts';

/** Reflectors performed at once. */
const BLOCK = 128;

/**
 * rows [count, n] times all reflectors, the first first: eigenvectors of the tridiagonal matrix become those of the matrix it was made of.
 * Source: the compact form I - U^T T U of a product of reflectors, Schreiber and Van Loan, 1989 (LAPACK's slarft).
 */
export async function reflect32(
  rows: Float32Array,
  count: number,
  n: number,
  { reflectors, halves, stride }: Tridiagonal32,
  product: Product32,
): Promise<void> {
  for (let first = 1; first < n; first += BLOCK) {
    const last = Math.min(n, first + BLOCK);
    const size = last - first;
    // Reflector i has i elements: nothing behind the block's last row is touched.
    const width = last - 1;
    const block = new Float32Array(size * width);
    for (let i = first; i < last; i++)
      if (halves[i] !== 0) block.set(reflectors.subarray(i * stride, i * stride + i), (i - first) * width);
    const together = await product(block, block, size, size, width, 'b');
    const turned = await product(compact(together, halves.subarray(first, last)), block, size, width, size);
    const seen = new Float32Array(count * width);
    for (let r = 0; r < count; r++) seen.set(rows.subarray(r * n, r * n + width), r * width);
    const along = await product(seen, block, count, size, width, 'b');
    const change = await product(along, turned, count, width, size);
    for (let r = 0, at = 0; r < count; r++) for (let c = r * n; c < r * n + width; c++, at++) rows[c] = seen[at]! - change[at]!;
  }
}

/** T [size, size], upper, from the products of the reflectors with each other. */
function compact(together: Float32Array, halves: Float64Array): Float32Array {
  const size = halves.length;
  const t = new Float32Array(size * size);
  const column = new Float64Array(size);
  for (let j = 0; j < size; j++) {
    const tau = halves[j] === 0 ? 0 : 1 / halves[j]!;
    for (let i = 0; i < j; i++) column[i] = -tau * together[i * size + j]!;
    for (let i = 0; i < j; i++) {
      let sum = 0;
      for (let k = i; k < j; k++) sum += t[i * size + k]! * column[k]!;
      t[i * size + j] = sum;
    }
    t[j * size + j] = tau;
  }
  return t;
}
