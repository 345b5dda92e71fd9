import { inverseCholeskyUpper } from '../../kernels/linear-algebra/spd.ts';
import type { Compress } from '../refit/layer-by-layer.ts';
import { refitKept } from './least-squares.ts';
import { lowestOf } from './lowest.ts';
import { reweighted } from './reweighted.ts';
import type { Share } from './share.ts';
import { sparseGpt } from './sparse-gpt.ts';

export type Calibrated = 'wanda' | 'sparsegpt' | 'reweighted';

/** Share of the mean of H's diagonal that is added to it (Frantar and Alistarh); more where H is singular even so. */
const DAMPING = 0.01;

/** Conjugate gradients of the refit; they take as long as all else on a small model. */
const REFIT_STEPS = 6;

/** How a method that looks at inputs makes a matrix sparse. `refits`: the weights that stay are fitted together once it is known which. */
export function sparsify(by: Calibrated, share: Share, refits: boolean): Compress {
  return async (linear, aim_OI, second_II, pause) => {
    const { out, in: wide } = linear;
    const second = by === 'wanda' && !refits ? second_II : damped(second_II, wide, DAMPING);
    const { weight_OI, gone_OI } = await methods[by](aim_OI, out, wide, second, share, pause);
    if (refits) await refitKept(weight_OI, gone_OI, aim_OI, out, wide, second, REFIT_STEPS, pause);
    return weight_OI;
  };
}

type Method = typeof reweighted;

const methods: Readonly<Record<Calibrated, Method>> = {
  wanda,
  reweighted,
  sparsegpt: (aim_OI, out, wide, second_II, share, pause) => sparseGpt(aim_OI, out, wide, factor(second_II, wide), share, pause),
};

/**
 * By |w| times the size of its inputs, row by row.
 * source  Sun et al.: A Simple and Effective Pruning Approach for Large Language Models, ICLR 2024
 */
async function wanda(aim_OI: Float32Array, out: number, wide: number, second_II: Float64Array, share: Share) {
  const size = Float64Array.from({ length: wide }, (_, i) => Math.sqrt(Math.max(0, second_II[i * (wide + 1)]!)));
  const scores = aim_OI.map((value, at) => Math.abs(value) * size[at % wide]!);
  const gone_OI = lowestOf(scores, out, wide, share, true);
  return { weight_OI: aim_OI.map((value, at) => (gone_OI[at] === 1 ? 0 : value)), gone_OI };
}

function damped(second_II: Float64Array, wide: number, damping: number): Float64Array {
  const into = second_II.slice();
  let mean = 0;
  for (let i = 0; i < wide; i++) mean += into[i * (wide + 1)]! / wide;
  // Inputs that are always 0 cost nothing to remove.
  for (let i = 0; i < wide; i++) into[i * (wide + 1)]! += damping * (mean > 0 ? mean : 1);
  return into;
}

function factor(second_II: Float64Array, wide: number): Float64Array {
  for (let more = 0; more <= 1e4; more = Math.max(DAMPING, 10 * more)) {
    const upper = inverseCholeskyUpper(more === 0 ? second_II : damped(second_II, wide, more), wide);
    if (upper) return upper;
  }
  throw new RangeError('the second moments of the inputs are not finite');
}
