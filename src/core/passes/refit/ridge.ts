import { solveSpd } from '../../kernels/linear-algebra/spd.ts';

// I inputs, O outputs, K kept inputs.

/** Damping beyond this share of the mean variance says nothing: the sums are not finite. */
const MOST_DAMPING = 1e6;

/** Second moments of x and of x with y, about their means or about zero, and the matrix that a solution is drawn towards. */
export interface Ridge {
  readonly inputs: number;
  readonly outputs: number;
  readonly gram_II: Float64Array;
  readonly cross_IO: Float64Array;
  readonly toward_IO: Float64Array;
}

/**
 * The matrix on the inputs `kept` that gives y from x with the least squares, plus `strength` times `mean` (of the Gram's diagonal)
 * times the squared distance to `toward`; ten times the strength for as long as the Gram matrix has no factor.
 * undefined where it is not finite
 * source  ridge regression toward the original weights; the refit of K-prune (Park et al., ICLR 2024)
 */
export function solveRidge(
  { inputs, outputs, gram_II, cross_IO, toward_IO }: Ridge,
  kept: ArrayLike<number>,
  strength: number,
  mean: number,
): Float64Array | undefined {
  const count = kept.length;
  for (let held = strength * mean; ; held *= 10) {
    const gram = new Float64Array(count * count);
    const right = new Float64Array(count * outputs);
    for (let k = 0; k < count; k++) {
      const row = kept[k]! * inputs;
      for (let j = 0; j < count; j++) gram[k * count + j] = gram_II[row + kept[j]!]!;
      gram[k * count + k]! += held;
      const from = kept[k]! * outputs;
      for (let o = 0; o < outputs; o++) right[k * outputs + o] = cross_IO[from + o]! + held * toward_IO[from + o]!;
    }
    const solved_KO = solveSpd(gram, count, right, outputs);
    if (solved_KO || !(held < MOST_DAMPING * mean)) return solved_KO;
  }
}

/** The same of a whole matrix [out, in] in f32. */
export function ridge(
  gram_II: Float64Array,
  cross_IO: Float64Array,
  toward_OI: Float32Array,
  out: number,
  wide: number,
  strength: number,
): Float32Array | undefined {
  const toward_IO = new Float64Array(wide * out);
  for (let o = 0; o < out; o++) for (let i = 0; i < wide; i++) toward_IO[i * out + o] = toward_OI[o * wide + i]!;
  const every = Uint32Array.from({ length: wide }, (_, i) => i);
  let mean = 0;
  for (let i = 0; i < wide; i++) mean += gram_II[i * wide + i]! / wide;
  // Inputs that are always 0 leave the system singular without any.
  const solved_IO = solveRidge({ inputs: wide, outputs: out, gram_II, cross_IO, toward_IO }, every, strength, mean || 1);
  if (!solved_IO) return undefined;
  const into = new Float32Array(out * wide);
  for (let i = 0; i < wide; i++) for (let o = 0; o < out; o++) into[o * wide + i] = solved_IO[i * out + o]!;
  return into;
}
