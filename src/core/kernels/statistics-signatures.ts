/** Equal bins of a histogram. */
export const BINS = 1024;

/** Of a run of values; those that are not finite count in none of these. */
export interface RunMoments {
  readonly finite: number;
  readonly zeros: number;
  /** Without meaning where `finite` is 0. */
  readonly min: number;
  readonly max: number;
  /** Of value - centre, in f64: element i is added to the sum i % 8, and the eight are added in a fixed order. */
  readonly sum: number;
  /** Of (value - centre)^2, likewise. */
  readonly squares: number;
}

/** Elements of each of the eight sums that quickMoments adds in f32 before they join the sum in f64. */
export const CHAIN = 16;

/** Equal bins from `from` to `to`; the last one includes `to`. */
export interface Histogram {
  readonly from: number;
  readonly to: number;
  readonly counts: Float64Array;
}

export const emptyHistogram = (from: number, to: number): Histogram => ({ from, to, counts: new Float64Array(BINS) });

/** Bins in a unit of the values: bin = floor((value - from) * scale), and BINS for `to` itself joins the last one. */
export const scaleOf = ({ from, to }: Pick<Histogram, 'from' | 'to'>): number => (to > from ? BINS / (to - from) : 0);

/**
 * A memory of f32 and the work on what is read into it. Places are in elements and multiples of 8, and the elements from `count` up to
 * the next multiple of 8 are overwritten. `centre` is an f32 in the range of the values seen so far, which min and max may include.
 */
export interface StatisticsMemory {
  readonly floats: Float32Array;
  moments(place: number, count: number, centre: number): RunMoments;
  /** The same with differences, squares and chains of CHAIN of them in f32, for values that are all finite and of ordinary size; else sums that are not. */
  quickMoments(place: number, count: number, centre: number): RunMoments;
  /** Adds finite values to the histogram, all of which are in its range; `finite` of the `count` are. */
  addToHistogram(place: number, count: number, finite: number, into: Histogram): void;
}

/** Shorter runs are not worth losing digits. */
const LONG = 16 * 1024;

/** quickMoments where that is within 1e-6 of the deviation, else moments. */
export function momentsIn(memory: StatisticsMemory, place: number, count: number, centre: number): RunMoments {
  if (count >= LONG) {
    const quick = memory.quickMoments(place, count, centre);
    // Squares below 2^-126 lose digits in f32; infinite and NaN are no number here.
    if (quick.squares > 1e-30 * count && quick.squares < Infinity && Number.isFinite(quick.sum)) return quick;
  }
  return memory.moments(place, count, centre);
}
