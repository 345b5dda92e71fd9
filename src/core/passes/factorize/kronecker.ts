import type { Product32 } from '../../kernels/linear-algebra/product32.ts';
import { svd } from '../../kernels/linear-algebra/svd.ts';
import { type KroneckerSides, kroneckerSides } from './compact-shape.ts';
import { topOf } from './top-of.ts';

/**
 * The sum of so many Kronecker products that is closest to a matrix in the sum of squared differences: the truncated SVD of the matrix
 * with each p2 x q2 block as a row. What is lost is the rest of its squared singular values.
 * returns  left [q1, terms, p1] and right [q2, terms, p2], the root of each singular value on both sides
 * source   Van Loan and Pitsianis, Approximation with Kronecker Products, 1993
 */
export async function kroneckerParts(
  weight_OI: Float32Array,
  out: number,
  width: number,
  terms: number,
  product: Product32 | undefined,
  pause: () => Promise<void>,
): Promise<readonly [Float32Array, Float32Array]> {
  const sides = kroneckerSides({ out, in: width });
  const { p1, q1, p2, q2 } = sides;
  const { values, left, right } = await topOf(rearranged(weight_OI, sides, width), p1 * q1, p2 * q2, terms, product, pause);
  const roots = Float64Array.from({ length: terms }, (_, s) => Math.sqrt(values[s]!));
  const [first, second] = [new Float32Array(q1 * terms * p1), new Float32Array(q2 * terms * p2)];
  for (let a = 0; a < p1; a++)
    for (let c = 0; c < q1; c++)
      for (let s = 0; s < terms; s++) first[(c * terms + s) * p1 + a] = left[(a * q1 + c) * terms + s]! * roots[s]!;
  for (let s = 0; s < terms; s++)
    for (let b = 0; b < p2; b++)
      for (let d = 0; d < q2; d++) second[(d * terms + s) * p2 + b] = right[s * p2 * q2 + b * q2 + d]! * roots[s]!;
  return [first, second];
}

/** All singular values of the rearranged matrix, largest first. */
export const kroneckerSpectrum = async (
  weight_OI: Float32Array,
  out: number,
  width: number,
  pause: () => Promise<void>,
): Promise<Float64Array> => {
  const sides = kroneckerSides({ out, in: width });
  const { p1, q1, p2, q2 } = sides;
  return (await svd(rearranged(weight_OI, sides, width), p1 * q1, p2 * q2, 1, pause)).values;
};

/** [p1 q1, p2 q2]: row (a, c) is the block of outputs a p2 to (a + 1) p2 and inputs c q2 to (c + 1) q2. */
function rearranged(weight_OI: Float32Array, { p1, q1, p2, q2 }: KroneckerSides, width: number): Float32Array {
  const rows = new Float32Array(weight_OI.length);
  for (let a = 0, at = 0; a < p1; a++)
    for (let c = 0; c < q1; c++)
      for (let b = 0; b < p2; b++, at += q2) {
        const from = (a * p2 + b) * width + c * q2;
        rows.set(weight_OI.subarray(from, from + q2), at);
      }
  return rows;
}
