import type { TensorStatistics } from '../../src/core/report/inside.ts';

export interface Bin {
  /** [from, to); the last bin includes `to`. */
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** 0 to 1 of the plot's height. */
  readonly height: number;
}

/** Bars of a histogram, at most `most`: neighbours are put together as long as all bars stay equally wide. */
export function bins({ from, to, counts }: TensorStatistics['histogram'], log: boolean, most = 64): Bin[] {
  const group = groupSize(counts.length, most);
  const width = ((to - from) / counts.length) * group;
  const sums = Array.from({ length: counts.length / group }, (_, bar) =>
    counts.slice(bar * group, (bar + 1) * group).reduce((sum, count) => sum + count, 0),
  );
  const scale = (count: number): number => (log ? Math.log10(1 + count) : count);
  const tallest = scale(Math.max(...sums, 1));
  return sums.map((count, bar) => ({
    from: from + bar * width,
    to: bar === sums.length - 1 ? to : from + (bar + 1) * width,
    count,
    height: scale(count) / tallest,
  }));
}

/** The smallest divisor of `bars` that leaves at most `most`; 1 where only all of them together would do. */
function groupSize(bars: number, most: number): number {
  for (let size = Math.max(1, Math.ceil(bars / most)); size < bars; size++) if (bars % size === 0) return size;
  return 1;
}
