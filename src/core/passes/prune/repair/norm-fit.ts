import type { Norm } from '../../../anatomy/anatomy.ts';
import type { Walk } from '../../../calibration/calibration.ts';
import type { Edit, ReplaceEdit } from '../../pass.ts';
import { typed, vectorOf } from '../matrix.ts';

// C channels

/** Rows looked at to see whether a half ends in its norm. */
const tried = 16;

/**
 * Gain and bias of the norm that ends a half, refitted channel by channel so that what leaves the half is what leaves the original's.
 * `edits` are those of the half, with `gain_C` and `bias_C` in the norm. undefined where the half does not end in this norm, or the norm
 * has no bias.
 */
export async function normFit(
  walk: Walk<Edit>,
  norm: Norm,
  gain_C: Float64Array,
  bias_C: Float64Array,
  edits: readonly Edit[],
): Promise<ReplaceEdit | undefined> {
  const width = gain_C.length;
  const [sumY, sumT, squares, products] = Array.from({ length: 4 }, () => new Float64Array(width)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  let rows = 0;
  let endsInNorm = true;
  await walk.observeBoth(['output'], edits, (original, current) => {
    const [target, given] = [original.get('output'), current.get('output')];
    if (rows === 0) endsInNorm = isNormalized(given.subarray(0, tried * width), gain_C, bias_C);
    if (!endsInNorm) return;
    for (let at = 0; at < given.length; at += width)
      for (let c = 0; c < width; c++) {
        const [y, t] = [given[at + c]!, target[at + c]!];
        sumY[c]! += y;
        sumT[c]! += t;
        squares[c]! += y * y;
        products[c]! += y * t;
      }
    rows += current.tokens;
  });
  if (!endsInNorm || rows < 2) return undefined;
  const [gain, bias] = [new Float32Array(width), new Float32Array(width)];
  for (let c = 0; c < width; c++) {
    const [y, t] = [sumY[c]! / rows, sumT[c]! / rows];
    const variance = squares[c]! / rows - y * y;
    const slope = variance > 1e-12 ? (products[c]! / rows - y * t) / variance : 1;
    gain[c] = slope * gain_C[c]!;
    bias[c] = slope * (bias_C[c]! - y) + t;
  }
  return normEdit(norm, gain, bias);
}

export const normEdit = (norm: Norm, gain: Float32Array, bias: Float32Array): ReplaceEdit => ({
  kind: 'replace',
  target: norm,
  weight: typed(norm.weight!, norm.weight!.shape, gain),
  bias: typed(norm.bias!, norm.bias!.shape, bias),
});

/** Gain and bias of a norm that has both. */
export async function affineOf({ weight, bias }: Norm, signal?: AbortSignal): Promise<[Float64Array, Float64Array] | undefined> {
  return weight && bias ? [await vectorOf(weight, signal), await vectorOf(bias, signal)] : undefined;
}

/** Is (y - bias) / gain of mean 0 and variance 1 in every row? */
function isNormalized(rows_TC: Float32Array, gain_C: Float64Array, bias_C: Float64Array): boolean {
  const width = gain_C.length;
  for (let at = 0; at < rows_TC.length; at += width) {
    let [sum, squares, count] = [0, 0, 0];
    for (let c = 0; c < width; c++) {
      if (Math.abs(gain_C[c]!) < 1e-6) continue;
      const z = (rows_TC[at + c]! - bias_C[c]!) / gain_C[c]!;
      sum += z;
      squares += z * z;
      count++;
    }
    if (Math.abs(sum / count) > 0.01 || Math.abs(squares / count - 1) > 0.02) return false;
  }
  return true;
}
