import type { TensorStatistics } from './inside.ts';

const SHARES = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99] as const;

/** Read from equal bins from `from` to `to` by linear interpolation: each is within one bin of the exact value. [] without values. */
export function percentilesOf(counts: Float64Array, from: number, to: number): TensorStatistics['percentiles'] {
  let all = 0;
  for (const count of counts) all += count;
  if (all === 0) return [];
  const edge = (bin: number): number => from * (1 - bin / counts.length) + to * (bin / counts.length);
  let [bin, below] = [0, 0];
  return SHARES.map(at => {
    const wanted = at * all;
    while (bin < counts.length - 1 && below + counts[bin]! < wanted) below += counts[bin++]!;
    const share = counts[bin] === 0 ? 0 : Math.max(0, (wanted - below) / counts[bin]!);
    return { at, value: Math.min(to, Math.max(from, edge(bin + Math.min(1, share)))) };
  });
}
