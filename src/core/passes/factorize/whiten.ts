import { products } from '../../kernels/linear-algebra/product.ts';
import type { Product32 } from '../../kernels/linear-algebra/product32.ts';
import { cholesky } from '../../kernels/linear-algebra/spd.ts';
import type { FactorValues } from './factors.ts';
import { topOf } from './top-of.ts';

// O output, I input, R rank.

/** Added to the diagonal, as a share of its mean: text never shows all that inputs can be. */
const DAMPING = 1e-4;

/** From here on a matrix that is damped is no longer that matrix. */
const MOST_DAMPING = 1e3;

export interface Whitened extends FactorValues {
  /** All singular values of the whitened weight: what is lost is the sum of the squares behind the rank. */
  readonly values: Float64Array;
  /** As a share of the mean of the diagonal. */
  readonly damping: number;
}

/**
 * The best rank-R approximation of a weight for the inputs it actually sees: with gram = C C^T and W C = U S V^T it is U_R U_R^T W.
 * weight_OI  [out, in];  gram_II  f64 [in, in], the second moments of the inputs over tokens
 * returns    first [rank, in] and second [out, rank]; undefined where the Gram matrix is not finite
 * source     Chen et al., DRONE, NeurIPS 2021; Wang et al., SVD-LLM, ICLR 2025. Exact at rank = min(out, in).
 */
export async function whiten(
  weight_OI: Float32Array,
  gram_II: Float64Array,
  out: number,
  width: number,
  rank: number,
  pause: () => Promise<void>,
  product?: Product32,
): Promise<Whitened | undefined> {
  const factored = damped(gram_II, width);
  if (!factored) return undefined;
  const seen_OI = product
    ? await product(weight_OI, Float32Array.from(factored.lower_II), out, width, width)
    : await seen(weight_OI, factored.lower_II, out, width, pause);
  const { values, left } = await topOf(seen_OI, out, width, rank, product, pause);
  const first = product
    ? await product(left, weight_OI, rank, width, out, 'a')
    : await acrossOut(left, weight_OI, out, width, rank, pause);
  for (let r = 0; r < rank; r++) {
    // The root of each singular value on both sides, so that neither factor is hard to store in fewer bits.
    const root = Math.sqrt(values[r]!);
    for (let i = r * width; i < (r + 1) * width; i++) first[i]! *= root > 0 ? 1 / root : 0;
    for (let o = 0; o < out; o++) left[o * rank + r]! *= root;
  }
  return { first, second: left, values, damping: factored.damping };
}

type Pause = () => Promise<void>;

/** weight_OI lower_II, summed in f64. */
function seen(weight_OI: Float32Array, lower_II: Float64Array, out: number, width: number, pause: Pause): Promise<Float32Array> {
  const rows = { values: weight_OI, count: out, vectorStride: width, elementStride: 1 };
  const columns = { values: lower_II, count: width, vectorStride: 1, elementStride: width };
  return products(rows, columns, width, new Float32Array(out * width), pause);
}

/** left_OR^T weight_OI, summed in f64. */
function acrossOut(
  left_OR: Float32Array,
  weight_OI: Float32Array,
  out: number,
  width: number,
  rank: number,
  pause: Pause,
): Promise<Float32Array> {
  const from = { values: left_OR, count: rank, vectorStride: 1, elementStride: rank };
  const to = { values: weight_OI, count: width, vectorStride: 1, elementStride: width };
  return products(from, to, out, new Float32Array(rank * width), pause);
}

/** The lower Cholesky factor of a matrix with a little on its diagonal, more where that is not enough. */
function damped(gram_II: Float64Array, width: number): { lower_II: Float64Array; damping: number } | undefined {
  let mean = 0;
  for (let i = 0; i < width; i++) mean += gram_II[i * width + i]! / width;
  if (!Number.isFinite(mean)) return undefined;
  for (let damping = DAMPING; damping < MOST_DAMPING; damping *= 10) {
    const lower_II = Float64Array.from(gram_II);
    for (let i = 0; i < width; i++) lower_II[i * width + i]! += damping * (mean || 1);
    if (cholesky(lower_II, width)) return { lower_II, damping };
  }
  return undefined;
}
