import type { Linear } from '../../anatomy/anatomy.ts';
import type { Moments } from '../../calibration/calibration.ts';
import { vectorOf, weightOf } from './matrix.ts';

// I inputs, O outputs

/**
 * The least squares of a matrix on text: what it reads, what it should give, and what it is. Sums are divided by the tokens; they are
 * about the means where the matrix has a bias, which then takes up the means, and about zero where it has none.
 */
export interface Fit {
  readonly inputs: number;
  readonly outputs: number;
  readonly tokens: number;
  readonly gram_II: Float64Array;
  readonly cross_IO: Float64Array;
  /** Zeros where there is no bias. */
  readonly meanX_I: Float64Array;
  readonly meanY_O: Float64Array;
  /** The matrix as it is. */
  readonly weight_IO: Float64Array;
  readonly bias_O: Float64Array | undefined;
  /** The variance over channels of what the norm behind reads (the residual sum), as a mean over tokens: what an error is small or large beside. */
  readonly scale: number;
}

export async function fitOf(linear: Linear, moments: Moments, scale: number, signal?: AbortSignal): Promise<Fit> {
  const weight_IO = await weightOf(linear, signal);
  const bias_O = linear.bias && (await vectorOf(linear.bias, signal));
  const shape = { inputs: linear.in, outputs: linear.out, tokens: moments.count, weight_IO, bias_O, scale };
  const [meanX_I, meanY_O] = [moments.meanX(), moments.meanY()];
  if (bias_O) return { ...shape, gram_II: moments.covarianceXX(), cross_IO: moments.covarianceXY(), meanX_I, meanY_O };
  const cross_IO = moments.covarianceXY();
  for (let i = 0, at = 0; i < meanX_I.length; i++)
    for (let o = 0; o < linear.out; o++, at++) cross_IO[at]! += meanX_I[i]! * meanY_O[o]!;
  return { ...shape, gram_II: moments.secondMomentXX(), cross_IO, meanX_I: meanX_I.fill(0), meanY_O: meanY_O.fill(0) };
}

/** The mean of the diagonal: what damping is told in. */
export function meanDiagonal({ gram_II, inputs }: Pick<Fit, 'gram_II' | 'inputs'>, columns: readonly number[]): number {
  let sum = 0;
  for (const i of columns) sum += gram_II[i * inputs + i]!;
  return sum / columns.length;
}
