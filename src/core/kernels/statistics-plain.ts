import { BINS, CHAIN, type Histogram, type RunMoments, type StatisticsMemory, scaleOf } from './statistics-signatures.ts';

// The specification of the statistics of a run: see statistics-signatures.ts for what goes in and out. It also serves f64, which has no SIMD twin.

/** The same work on an ordinary array. */
export function plainStatistics(elements: number): StatisticsMemory {
  const floats = new Float32Array(elements);
  return {
    floats,
    moments: (place, count, centre) => momentsOf(floats.subarray(place, place + count), centre),
    quickMoments: (place, count, centre) => quickMomentsOf(floats.subarray(place, place + count), centre),
    addToHistogram: (place, count, _, into) => countInto(floats.subarray(place, place + count), into),
  };
}

export function momentsOf(values: Float32Array | Float64Array, centre: number): RunMoments {
  const [sums, squares] = [new Float64Array(8), new Float64Array(8)];
  let [finite, zeros, min, max] = [0, 0, Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value - value !== 0) continue; // NaN, infinite
    finite++;
    if (value === 0) zeros++;
    if (value < min) min = value;
    if (value > max) max = value;
    sums[i % 8]! += value - centre;
    squares[i % 8]! += (value - centre) * (value - centre);
  }
  return { finite, zeros, min, max, sum: eightSum(sums), squares: eightSum(squares) };
}

const { fround } = Math;

/** For values that are all finite. */
function quickMomentsOf(values: Float32Array, centre: number): RunMoments {
  const [sums, squares] = [new Float64Array(8), new Float64Array(8)];
  const [chains, squareChains] = [new Float32Array(8), new Float32Array(8)];
  let [zeros, min, max] = [0, Infinity, -Infinity];
  const join = (): void => {
    for (let lane = 0; lane < 8; lane++) {
      sums[lane]! += chains[lane]!;
      squares[lane]! += squareChains[lane]!;
    }
    chains.fill(0);
    squareChains.fill(0);
  };
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value === 0) zeros++;
    if (value < min) min = value;
    if (value > max) max = value;
    const difference = fround(value - centre);
    chains[i % 8]! += difference;
    squareChains[i % 8]! += fround(difference * difference);
    if ((i + 1) % (8 * CHAIN) === 0) join();
  }
  join();
  return { finite: values.length, zeros, min, max, sum: eightSum(sums), squares: eightSum(squares) };
}

const eightSum = (s: Float64Array): number => s[0]! + s[2]! + (s[4]! + s[6]!) + (s[1]! + s[3]! + (s[5]! + s[7]!));

export function countInto(values: Float32Array | Float64Array, into: Histogram): void {
  const { from, counts } = into;
  const scale = scaleOf(into);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value - value !== 0) continue;
    // Adding BINS before rounding down is what the SIMD twin does; it differs from not adding it by 2^-43 of a bin.
    counts[Math.min(BINS - 1, Math.floor((value - from) * scale + BINS) - BINS)]!++;
  }
}
