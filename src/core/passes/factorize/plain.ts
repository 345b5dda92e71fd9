import type { Linear } from '../../anatomy/anatomy.ts';
import { svd } from '../../kernels/linear-algebra/svd.ts';
import type { FactorEdit, PassContext } from '../pass.ts';
import { type FactorValues, factorTensors } from './factors.ts';
import { matrixOf } from './matrix.ts';
import { pauseOf } from './pause.ts';
import { productFor, topOf } from './top-of.ts';

// O output, I input, R rank.

/** The best factors of a matrix in the sum of squared differences, computed when they are read. source: Eckart and Young, 1936. */
export const plainFactors = (target: Linear, rank: number, products?: PassContext['products']): FactorEdit => ({
  kind: 'factor',
  target,
  ...factorTensors({ out: target.out, in: target.in, rank, dtype: target.weight.dtype }, signal =>
    factorsOf(target, rank, products, signal),
  ),
});

async function factorsOf(
  target: Linear,
  rank: number,
  products?: PassContext['products'],
  signal?: AbortSignal,
): Promise<FactorValues> {
  const matrix_OI = await matrixOf(target, signal);
  const product = await productFor(target, products);
  const { values, left, right } = await topOf(matrix_OI, target.out, target.in, rank, product, pauseOf(signal));
  return balanced(values, left, right, target.in, rank);
}

/** left_OR and right_RI with the root of each singular value on both sides, so that neither is hard to store in fewer bits. */
export function balanced(
  values: ArrayLike<number>,
  left_OR: Float32Array,
  right_RI: Float32Array,
  width: number,
  rank: number,
): FactorValues {
  const roots = Float64Array.from({ length: rank }, (_, r) => Math.sqrt(values[r]!));
  for (let row = 0; row < left_OR.length; row += rank) for (let r = 0; r < rank; r++) left_OR[row + r]! *= roots[r]!;
  for (let r = 0; r < rank; r++) for (let i = r * width; i < (r + 1) * width; i++) right_RI[i]! *= roots[r]!;
  return { first: right_RI, second: left_OR };
}

/** All singular values of a matrix, largest first. */
export const spectrumOf = async (target: Linear, signal?: AbortSignal): Promise<Float64Array> =>
  (await svd(await matrixOf(target, signal), target.out, target.in, 1, pauseOf(signal))).values;
