import { HALF, type Histogram } from './histogram.ts';

// How the range of an activation is chosen: what lies beyond it is clipped, what lies within it is rounded. Each range holds 0.

export type Range = readonly [low: number, high: number];

/** The part of the values that the percentile range holds: onnxruntime's default, 99.999 %. */
const KEPT = 0.99999;

/** Levels of 8 bits, half of them: what the entropy of a range is told with, as in onnxruntime. */
const LEVELS = 128;

/** What counts in place of no value at all, as in onnxruntime: clipped values may stand where none are. */
const UNSEEN = 1e-4;

/** Ranges tried for the least squared error, from the whole on, in steps of a hundredth of it. */
const LEAST_PART = 30;

/** By the name that a recipe gives it; all of it for what is not known. */
export function rangeOf(values: Histogram, kind: string): Range {
  if (values.limit === 0) return [0, 0];
  if (kind === 'percentile') return percentile(values);
  if (kind === 'mse') return leastError(values);
  if (kind === 'entropy') return leastDivergence(values);
  return [values.low, values.high];
}

/** Half of what may be cut off is cut off at either end. */
function percentile(values: Histogram): Range {
  const { counts } = values;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const most = ((1 - KEPT) / 2) * total;
  let [first, last] = [0, counts.length - 1];
  for (let sum = counts[first]!; sum <= most; sum += counts[first]!) first++;
  for (let sum = counts[last]!; sum <= most; sum += counts[last]!) last--;
  return within(values, values.middle(first), values.middle(last));
}

/** Both ends are drawn in alike; the error of rounding is that of an even distribution over a step. */
function leastError(values: Histogram): Range {
  let best: Range = [values.low, values.high];
  let least = Number.POSITIVE_INFINITY;
  for (let part = 100; part >= LEAST_PART; part--) {
    const [low, high] = [(values.low * part) / 100, (values.high * part) / 100];
    const error = squaredError(values, low, high);
    if (error < least) [least, best] = [error, [low, high]];
  }
  return best;
}

function squaredError(values: Histogram, low: number, high: number): number {
  const rounding = ((high - low) / 255) ** 2 / 12;
  let error = 0;
  for (const [bin, count] of values.counts.entries()) {
    if (count === 0) continue;
    const value = values.middle(bin);
    const beyond = value < low ? low - value : value > high ? value - high : 0;
    error += count * (beyond > 0 ? beyond ** 2 : rounding);
  }
  return error;
}

/** The symmetric range whose distribution, in 128 levels, diverges least from what it clips (Kullback and Leibler). */
function leastDivergence(values: Histogram): Range {
  let best = HALF;
  let least = Number.POSITIVE_INFINITY;
  for (let half = LEVELS / 2; half <= HALF; half += LEVELS / 16) {
    const divergence = divergenceOf(values.counts, HALF - half, HALF + half);
    if (divergence < least) [least, best] = [divergence, half];
  }
  const limit = (best / HALF) * values.limit;
  return within(values, -limit, limit);
}

/** Of bins [start, end), with what lies outside added to the ends, from themselves in LEVELS levels. */
function divergenceOf(counts: Float64Array, start: number, end: number): number {
  const kept = counts.slice(start, end);
  const clipped = kept.slice();
  clipped[0]! += counts.subarray(0, start).reduce((sum, count) => sum + count, 0);
  clipped[clipped.length - 1]! += counts.subarray(end).reduce((sum, count) => sum + count, 0);
  const total = clipped.reduce((sum, count) => sum + count, 0);
  const levelled = inLevels(kept, clipped);
  const sum = levelled.reduce((all, value) => all + value, 0);
  let divergence = 0;
  for (const [bin, count] of clipped.entries()) {
    if (count === 0) continue;
    divergence += (count / total) * Math.log(count / total / (Math.max(levelled[bin]!, UNSEEN) / sum));
  }
  return divergence;
}

/** Each level's values spread evenly over those of its bins that hold any. */
function inLevels(kept: Float64Array, clipped: Float64Array): Float64Array {
  const levelled = new Float64Array(kept.length);
  for (let level = 0; level < LEVELS; level++) {
    const [first, last] = [level, level + 1].map(at => Math.floor((at * kept.length) / LEVELS)) as [number, number];
    let [sum, used] = [0, 0];
    for (let bin = first; bin < last; bin++) {
      sum += kept[bin]!;
      if (clipped[bin]! > 0) used++;
    }
    for (let bin = first; bin < last; bin++) if (clipped[bin]! > 0) levelled[bin] = sum / used;
  }
  return levelled;
}

const within = ({ low, high }: Histogram, from: number, to: number): Range => [
  Math.min(0, Math.max(low, from)),
  Math.max(0, Math.min(high, to)),
];
