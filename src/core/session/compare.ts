import { throwIfCancelled } from '../errors.ts';
import { compareModels } from '../report/compare.ts';
import type { Comparison } from '../report/comparison.ts';
import { openPath } from './open.ts';
import type { SessionOptions } from './types.ts';

/** Opens both models and joins them organ by organ, with the error of every weight that changed. */
export async function compare(before: string, after: string, { signal, progress }: SessionOptions = {}): Promise<Comparison> {
  const first = await openPath(before, signal);
  try {
    const second = await openPath(after, signal);
    try {
      throwIfCancelled(signal);
      return await compareModels(first, second, {
        ...(signal && { signal }),
        progress: (done, total, what) =>
          progress?.({ fraction: total === 0 ? 0 : done / total, what, bytesDone: done, bytesTotal: total }),
      });
    } finally {
      await second.close();
    }
  } finally {
    await first.close();
  }
}
