import type { Norm } from '../../anatomy/anatomy.ts';
import type { Observed, Walk } from '../../calibration/calibration.ts';
import { floatsOf } from '../../kernels/floats.ts';
import { elementCount, type Tensor } from '../../tensor/tensor.ts';
import { computed } from '../computed.ts';
import type { Edit, ReplaceEdit } from '../pass.ts';
import { stored } from './factors.ts';

// C channels

/**
 * Gain and bias of the norm at the end of a half, refitted channel by channel to what the original gives there, with `edits` of the half
 * performed: the least squares of the original's output on the output as it is, which is an affine function of the same norm.
 * undefined where the half does not end in a norm with gain and bias.
 */
export async function fitNorm(
  walk: Walk<Edit>,
  norm: Norm,
  edits: readonly Edit[],
  tap: 'input' | 'output' = 'output',
  signal?: AbortSignal,
): Promise<ReplaceEdit | undefined> {
  const { weight, bias } = norm;
  if (!weight || !bias) return undefined;
  const [gain_C, shift_C] = [await vectorOf(weight, signal), await vectorOf(bias, signal)];
  const width = gain_C.length;
  const sums = {
    x: new Float64Array(width),
    t: new Float64Array(width),
    xx: new Float64Array(width),
    xt: new Float64Array(width),
  };
  let [tokens, isNormed] = [0, true];
  await walk.observeBoth([tap], edits, (original, current) => {
    if (tokens === 0) isNormed = endsInNorm(original, tap, gain_C, shift_C);
    if (isNormed) tokens += add(sums, current.get(tap), original.get(tap), width);
  });
  if (!isNormed || tokens < 2) return undefined;
  const [gain, shift] = [Float32Array.from(gain_C), Float32Array.from(shift_C)];
  for (let c = 0; c < width; c++) {
    const [x, t] = [sums.x[c]! / tokens, sums.t[c]! / tokens];
    const variance = sums.xx[c]! / tokens - x * x;
    const slope = variance > 1e-9 ? (sums.xt[c]! / tokens - x * t) / variance : 1;
    if (!Number.isFinite(slope) || !Number.isFinite(t)) return undefined;
    gain[c] = slope * gain_C[c]!;
    shift[c] = slope * shift_C[c]! + t - slope * x;
  }
  return { kind: 'replace', target: norm, weight: typed(weight, gain), bias: typed(bias, shift) };
}

type Sums = Record<'x' | 't' | 'xx' | 'xt', Float64Array>;

function add({ x, t, xx, xt }: Sums, current: Float32Array, original: Float32Array, width: number): number {
  for (let row = 0; row < current.length; row += width)
    for (let c = 0; c < width; c++) {
      const [value, target] = [current[row + c]!, original[row + c]!];
      x[c]! += value;
      t[c]! += target;
      xx[c]! += value * value;
      xt[c]! += value * target;
    }
  return current.length / width;
}

/** Is the first row mean 0 and variance 1 once gain and bias are taken back? In families that norm before, it is not. */
function endsInNorm(batch: Observed, tap: 'input' | 'output', gain_C: Float64Array, shift_C: Float64Array): boolean {
  const row = batch.get(tap);
  let [count, sum, squares] = [0, 0, 0];
  for (const [c, gain] of gain_C.entries()) {
    if (Math.abs(gain) < 1e-4) continue;
    const value = (row[c]! - shift_C[c]!) / gain;
    count++;
    sum += value;
    squares += value * value;
  }
  const mean = sum / count;
  return count > 0 && Math.abs(mean) < 0.05 && Math.abs(squares / count - mean * mean - 1) < 0.1;
}

const vectorOf = async (tensor: Tensor, signal?: AbortSignal): Promise<Float64Array> =>
  Float64Array.from(await floatsOf(tensor, 0, elementCount(tensor.shape), signal));

/** Other numbers in the shape and type of a tensor, in memory. */
export function typed({ name, dtype, shape }: Tensor, values: Float32Array): Tensor {
  const bytes = stored(values, dtype);
  return computed(name, dtype, shape, async (start, end) => bytes.subarray(start, end));
}
