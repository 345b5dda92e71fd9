import type { Norm } from '../../anatomy/anatomy.ts';
import type { Walk } from '../../calibration/calibration.ts';
import type { Edit, ReplaceEdit } from '../pass.ts';
import { like, vectorOf } from './matrix-of.ts';

/** Gain and offset of a norm. */
export interface Affine {
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/**
 * Gain and offset of the norm at the end of a half (or in front of the first), refitted channel by channel to what the original gives
 * there, with `edits` of the half performed: the least squares of the original's output on the output as it is, which is an affine
 * function of the same norm. `affine`: what the norm has by then, where the edits changed it.
 * undefined where the half does not end in this norm, or the norm has no gain or no offset
 */
export async function fitNorm(
  walk: Walk<Edit>,
  norm: Norm,
  edits: readonly Edit[],
  tap: 'input' | 'output' = 'output',
  signal?: AbortSignal,
  affine?: Affine,
): Promise<ReplaceEdit | undefined> {
  if (!norm.weight || !norm.bias) return undefined;
  const fit = new NormFit(affine ?? (await affineOf(norm, signal)));
  await walk.observeBoth([tap], edits, (original, current) => fit.add(current.get(tap), original.get(tap)));
  const found = fit.result();
  return found && normEdit(norm, found);
}

/** Of a norm that has both. */
export const normEdit = (target: Norm, { weight, bias }: Affine): ReplaceEdit => ({
  kind: 'replace',
  target,
  weight: like(target.weight!, weight),
  bias: like(target.bias!, bias),
});

/** Of a norm that has both. */
export const affineOf = async ({ weight, bias }: Norm, signal?: AbortSignal): Promise<Affine> => ({
  weight: await vectorOf(weight!, signal),
  bias: await vectorOf(bias!, signal),
});

/** Sums over tokens, by channel. */
export class NormFit {
  private readonly width: number;
  private readonly norm: Affine;
  private readonly sums: Float64Array[];
  private count = 0;
  private isNorm = true;

  constructor(norm: Affine) {
    this.norm = norm;
    this.width = norm.weight.length;
    this.sums = Array.from({ length: 4 }, () => new Float64Array(this.width));
  }

  /** Rows of what the norm gives now and of what it should give, [tokens, width]. */
  add(now: Float32Array, wanted: Float32Array): void {
    const { width } = this;
    const [x, y, xx, xy] = this.sums as [Float64Array, Float64Array, Float64Array, Float64Array];
    if (this.count === 0) this.isNorm = isBehind(this.norm, now);
    if (now.length !== wanted.length || now.length % width !== 0) this.isNorm = false;
    if (!this.isNorm) return;
    for (let at = 0; at < now.length; at += width)
      for (let i = 0; i < width; i++) {
        const [a, b] = [now[at + i]!, wanted[at + i]!];
        x[i]! += a;
        y[i]! += b;
        xx[i]! += a * a;
        xy[i]! += a * b;
      }
    this.count += now.length / width;
  }

  /** The gain and offset with the least squared error by channel; undefined where the state is not what the norm gives. */
  result(): Affine | undefined {
    const { width, count } = this;
    if (!this.isNorm || count < 2) return undefined;
    const [x, y, xx, xy] = this.sums as [Float64Array, Float64Array, Float64Array, Float64Array];
    const [weight, bias] = [new Float32Array(width), new Float32Array(width)];
    for (let i = 0; i < width; i++) {
      const [meanX, meanY] = [x[i]! / count, y[i]! / count];
      const variance = xx[i]! / count - meanX * meanX;
      const slope = variance > 1e-12 ? (xy[i]! / count - meanX * meanY) / variance : 1;
      weight[i] = slope * this.norm.weight[i]!;
      bias[i] = slope * this.norm.bias[i]! + meanY - slope * meanX;
    }
    return { weight, bias };
  }
}

/**
 * Before its gain and offset a normalized row has the mean 0 and the variance 1. A layer that normalizes first gives something else.
 * Channels whose gain is next to nothing cannot be seen, and may be the largest: what they hide is allowed for.
 */
function isBehind({ weight, bias }: Affine, states: Float32Array): boolean {
  const width = weight.length;
  const seen = weight.reduce((count, gain) => count + (Math.abs(gain) > 1e-4 ? 1 : 0), 0);
  const [shift, loss] = seen === width ? [0.01, 0.02] : [0.2, 0.6];
  for (let at = 0; at + width <= Math.min(states.length, 8 * width); at += width) {
    let [mean, square] = [0, 0];
    for (let i = 0; i < width; i++) {
      if (Math.abs(weight[i]!) <= 1e-4) continue;
      const z = (states[at + i]! - bias[i]!) / weight[i]!;
      mean += z / width;
      square += (z * z) / width;
    }
    if (!(Math.abs(mean) < shift && square < 1.02 && square > 1 - loss)) return false;
  }
  return true;
}
