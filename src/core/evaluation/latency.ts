import { throwIfCancelled } from '../errors.ts';
import type { Latency } from './report.ts';

/** Enough for a steady median; less where a run is long. */
const mostRuns = 20;
const fewestRuns = 8;
/** Of each model. */
const budgetMs = 500;
const warmUps = 2;

/**
 * Times each of `runs` in turn (before, after, before, after), so that whatever else the machine does meets both.
 * Returns what each took, in the order given; milliseconds.
 */
export async function timesInTurn(runs: readonly (() => Promise<unknown>)[], signal?: AbortSignal): Promise<number[][]> {
  for (let i = 0; i < warmUps; i++) for (const run of runs) await run();
  const times = runs.map((): number[] => []);
  const began = performance.now();
  for (let i = 0; i < mostRuns; i++) {
    throwIfCancelled(signal);
    if (i >= fewestRuns && performance.now() - began > budgetMs * runs.length) break;
    for (const [index, run] of runs.entries()) {
      const started = performance.now();
      await run();
      times[index]!.push(performance.now() - started);
    }
  }
  return times;
}

export function latencyOf(times: readonly number[], stated: Pick<Latency, 'threads' | 'batch' | 'length'>): Latency {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]!;
  return { medianMs: at(0.5), p90Ms: at(0.9), ...stated, runs: sorted.length };
}
