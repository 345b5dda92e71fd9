import { solveRidge } from '../../refit/ridge.ts';
import { type Fit, meanDiagonal } from '../fit.ts';

// I inputs, O outputs, K kept inputs

export interface Refit {
  readonly weight_KO: Float64Array;
  readonly bias_O: Float64Array | undefined;
}

/**
 * The matrix on the inputs that are kept, which gives what it should with the least square error plus `damping` times the mean of the
 * diagonal times its squared distance to the weights as they are. Its bias takes up the means.
 * source  ridge regression toward the original weights; the refit of K-prune (Park et al., ICLR 2024)
 */
export function ridge(fit: Fit, kept: readonly number[], damping: number): Refit {
  const mean = meanDiagonal(fit, kept) || 1;
  const weight_KO = solveRidge({ ...fit, toward_IO: fit.weight_IO }, kept, Math.max(damping, 1e-8), mean);
  if (!weight_KO) throw new RangeError('a refit on activations that are not finite');
  return { weight_KO, bias_O: biasFor(fit, kept, weight_KO) };
}

/** The weights as they are, and a bias that takes up the means of what goes. */
export function foldedMeans(fit: Fit, kept: readonly number[]): Refit {
  const { outputs, weight_IO } = fit;
  const weight_KO = new Float64Array(kept.length * outputs);
  for (const [k, i] of kept.entries()) weight_KO.set(weight_IO.subarray(i * outputs, (i + 1) * outputs), k * outputs);
  return { weight_KO, bias_O: biasFor(fit, kept, weight_KO) };
}

function biasFor({ bias_O, meanX_I, meanY_O, outputs }: Fit, kept: readonly number[], weight_KO: Float64Array) {
  if (!bias_O) return undefined;
  const bias = Float64Array.from(meanY_O);
  for (const [k, i] of kept.entries()) for (let o = 0; o < outputs; o++) bias[o]! -= weight_KO[k * outputs + o]! * meanX_I[i]!;
  return bias;
}
