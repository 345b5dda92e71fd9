import { solveSpd } from '../../../kernels/linear-algebra/spd.ts';
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
  const { inputs, outputs, gram_II, cross_IO, weight_IO } = fit;
  const count = kept.length;
  // Inputs that are always 0 leave the system singular without any.
  const mean = meanDiagonal(fit, kept) || 1;
  for (let held = Math.max(damping, 1e-8) * mean; ; held *= 10) {
    const gram = new Float64Array(count * count);
    const right = new Float64Array(count * outputs);
    for (let k = 0; k < count; k++) {
      const row = kept[k]! * inputs;
      for (let j = 0; j < count; j++) gram[k * count + j] = gram_II[row + kept[j]!]!;
      gram[k * count + k]! += held;
      const from = kept[k]! * outputs;
      for (let o = 0; o < outputs; o++) right[k * outputs + o] = cross_IO[from + o]! + held * weight_IO[from + o]!;
    }
    const weight_KO = solveSpd(gram, count, right, outputs);
    if (weight_KO) return { weight_KO, bias_O: biasFor(fit, kept, weight_KO) };
    if (!(held < 1e6 * mean)) throw new RangeError('a refit on activations that are not finite');
  }
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
