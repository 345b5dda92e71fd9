import type { Norm } from '../../../anatomy/anatomy.ts';
import { vectorOf } from './matrix-of.ts';

/** Gain and offset of a norm. */
export interface Affine {
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

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
