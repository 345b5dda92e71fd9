import { summarize } from '../report/summary.ts';
import type { Summary } from '../report/tree.ts';
import { openPath } from './open.ts';
import type { SessionOptions } from './types.ts';

/** Where a model's parameters are. Reads headers only, unless the numbers themselves are asked for. */
export async function inspect(
  path: string,
  { signal, progress, stats }: SessionOptions & { readonly stats?: boolean } = {},
): Promise<Summary> {
  const opened = await openPath(path, signal);
  try {
    const summary = summarize(opened.model, opened.anatomy);
    if (!stats) return summary;
    const { addStatistics } = await import('../report/statistics.ts');
    return await addStatistics(summary, opened.model, opened.anatomy, {
      ...(signal && { signal }),
      progress: (done, total, what) =>
        progress?.({ fraction: total === 0 ? 0 : done / total, what, bytesDone: done, bytesTotal: total }),
    });
  } finally {
    await opened.close();
  }
}
