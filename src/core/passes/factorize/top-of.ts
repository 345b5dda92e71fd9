import type { Linear } from '../../anatomy/anatomy.ts';
import { nearSvd } from '../../kernels/linear-algebra/near-svd.ts';
import type { Product32 } from '../../kernels/linear-algebra/product32.ts';
import { type Svd, svd } from '../../kernels/linear-algebra/svd.ts';
import type { PassContext } from '../pass.ts';

/** A smaller matrix is done before the library that makes products is loaded. */
const LEAST_SIDE = 128;

/** What makes the products of a matrix of this size, if anything does. */
export const productFor = async (
  { out, in: width }: Pick<Linear, 'out' | 'in'>,
  products: PassContext['products'],
): Promise<Product32 | undefined> => (Math.min(out, width) < LEAST_SIDE ? undefined : products?.());

/** The first `rank` singular values with their vectors: by fast products where they suffice, or else in f64. */
export async function topOf(
  matrix_OI: Float32Array,
  out: number,
  width: number,
  rank: number,
  product: Product32 | undefined,
  pause: () => Promise<void>,
): Promise<Svd> {
  const near = product && (await nearSvd(matrix_OI, out, width, rank, product, pause));
  return near ?? svd(matrix_OI, out, width, rank, pause);
}
