import { timesSecond } from './least-squares.ts';
import { lowestOf } from './lowest.ts';
import { type Share, zerosOf } from './share.ts';

// O out, I in

/** Rounds in which the penalties are set anew, and steps of each. */
const ROUNDS = 4;
const STEPS = 5;

/** In the penalty 1 / (|w| + EPSILON), as a share of the mean of |w|. */
const EPSILON = 0.01;

/** The proximal operator of a penalty t |w|: what is smaller than t becomes 0, all else is moved by t towards it. */
export const shrink = (value: number, t: number): number => (value > t ? value - t : value < -t ? value + t : 0);

/**
 * Reweighted proximal pruning on the least squares of a layer: steps down (w - aim) H (w - aim)^T, each followed by the proximal operator
 * of a penalty that is smaller for larger weights. The penalty is as strong as it takes to remove, round by round, the share that is to
 * go. Weights are measured by the size of their inputs.
 * aim_OI     [out, in], left as it is
 * second_II  H, with damping
 * source     Guo et al.: Reweighted Proximal Pruning for Large-Scale Language Representation, 2019; there on the loss, by AdamW
 */
export async function reweighted(
  aim_OI: Float32Array,
  out: number,
  wide: number,
  second_II: Float64Array,
  share: Share,
  pause: () => Promise<void>,
): Promise<{ readonly weight_OI: Float32Array; readonly gone_OI: Uint8Array }> {
  const scale = Float64Array.from({ length: wide }, (_, i) => Math.sqrt(second_II[i * (wide + 1)]!));
  const scaled = second_II.slice();
  for (let r = 0, at = 0; r < wide; r++) for (let c = 0; c < wide; c++, at++) scaled[at]! /= scale[r]! * scale[c]!;
  const step = 1 / largestEigenvalue(scaled, wide);
  const aim = aim_OI.map((value, at) => value * scale[at % wide]!);
  const epsilon = EPSILON * meanSize(aim);
  let value = aim.slice();
  let ahead = aim.slice();
  const zeros = zerosOf(out, wide, share);
  for (let round = 1; round <= ROUNDS; round++) {
    // As in gradual pruning: most goes at first.
    const wanted = Math.round(zeros * (1 - (1 - round / ROUNDS) ** 3));
    const penalty = value.map(each => 1 / (Math.abs(each) + epsilon));
    for (let turn = 0, momentum = 1; turn < STEPS; turn++) {
      const apart = ahead.map((each, at) => each - aim[at]!);
      const slope = await timesSecond(apart, out, wide, scaled, pause);
      const moved = ahead.map((each, at) => each - step * slope[at]!);
      const strength = quantile(
        moved.map((each, at) => Math.abs(each) / penalty[at]!),
        wanted,
      );
      const next = moved.map((each, at) => shrink(each, strength * penalty[at]!));
      const later = (1 + Math.sqrt(1 + 4 * momentum * momentum)) / 2;
      const push = (momentum - 1) / later;
      ahead = next.map((each, at) => each + push * (each - value[at]!));
      [value, momentum] = [next, later];
    }
  }
  const gone_OI = lowestOf(value.map(Math.abs), out, wide, share);
  const weight_OI = value.map((each, at) => (gone_OI[at] === 1 ? 0 : each / scale[at % wide]!));
  return { weight_OI, gone_OI };
}

const meanSize = (values: Float32Array): number => values.reduce((sum, value) => sum + Math.abs(value), 0) / values.length;

/** The strength that removes as many as are wanted. */
function quantile(strengths: Float32Array, wanted: number): number {
  if (wanted <= 0) return 0;
  return strengths.sort()[Math.min(wanted, strengths.length) - 1]!;
}

/** By the power method: a step a little too long would only be slow to settle. */
function largestEigenvalue(matrix: Float64Array, size: number): number {
  let vector = new Float64Array(size).fill(1 / Math.sqrt(size));
  let value = 1;
  for (let turn = 0; turn < 30; turn++) {
    const next = new Float64Array(size);
    for (let r = 0; r < size; r++) {
      let sum = 0;
      for (let c = 0, at = r * size; c < size; c++, at++) sum += matrix[at]! * vector[c]!;
      next[r] = sum;
    }
    value = Math.hypot(...next);
    vector = next.map(each => each / value);
  }
  return 1.02 * value;
}
