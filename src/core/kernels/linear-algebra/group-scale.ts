const { abs, fround, max, min, round } = Math;

export interface GroupOptions {
  readonly low: number;
  readonly high: number;
  readonly symmetric: boolean;
  /** Shares of the range that are tried. */
  readonly ratios: readonly number[];
}

/**
 * Scale (f32) and zero point of a group of weights: the range, with 0 in it, or the share of it with the least squared error, where
 * element i counts importance[i] times. A group of zeros has the scale 0.
 */
export function scaleOf(values: Float32Array, importance: Float64Array, options: GroupOptions): { scale: number; zero: number } {
  let [least, most] = [0, 0];
  for (const value of values) {
    least = min(least, value);
    most = max(most, value);
  }
  let best = ranged(least, most, options.ratios[0] ?? 1, options);
  if (options.ratios.length < 2 || best.scale === 0) return best;
  let lowest = errorOf(values, importance, best, options, Infinity);
  for (const ratio of options.ratios.slice(1)) {
    const tried = ranged(least, most, ratio, options);
    const error = errorOf(values, importance, tried, options, lowest);
    if (error < lowest) [best, lowest] = [tried, error];
  }
  return best;
}

function ranged(least: number, most: number, ratio: number, { low, high, symmetric }: GroupOptions) {
  const middle = Math.ceil((low + high) / 2);
  const span = symmetric ? 2 * max(most, -least) : most - least;
  const scale = fround((span * ratio) / (high - low));
  if (symmetric || scale === 0) return { scale, zero: middle };
  return { scale, zero: max(low, min(high, low + round((-least * ratio) / scale))) };
}

/** Given up once it is above `enough`. */
function errorOf(
  values: Float32Array,
  importance: Float64Array,
  { scale, zero }: { readonly scale: number; readonly zero: number },
  { low, high }: GroupOptions,
  enough: number,
): number {
  let error = 0;
  const [from, to] = [low - zero, high - zero];
  for (let i = 0; i < values.length && error < enough; i++) {
    const steps = max(from, min(to, round(values[i]! / scale)));
    error += importance[i]! * abs(values[i]! - steps * scale) ** 2;
  }
  return error;
}
