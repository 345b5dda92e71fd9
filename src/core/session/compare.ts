import { throwIfCancelled } from '../errors.ts';
import { alignedOrgans, type LayersKept } from '../report/aligned.ts';
import { compareModels } from '../report/compare.ts';
import type { Comparison } from '../report/comparison.ts';
import type { MatrixDiff, MatrixDiffRequest } from '../report/inside.ts';
import { matrixDiff as diffOf } from '../report/matrix-diff.ts';
import { organsById } from '../report/organs.ts';
import { type Opened, openPath } from './open.ts';
import type { SessionOptions } from './types.ts';

interface CompareOptions extends SessionOptions {
  readonly layers?: LayersKept | undefined;
}

/** Opens both models and joins them organ by organ, with the error of every weight that changed. */
export const compare = (before: string, after: string, { signal, progress, layers }: CompareOptions = {}): Promise<Comparison> =>
  withBoth(before, after, signal, (first, second) =>
    compareModels(first, second, {
      ...(signal && { signal }),
      ...(layers && { layers }),
      progress: (done, total, what) =>
        progress?.({ fraction: total === 0 ? 0 : done / total, what, bytesDone: done, bytesTotal: total }),
    }),
  );

/** One matrix or table of both models; null where one of them does not have it, or in a form that is not understood. */
export const matrixDiff = (
  before: string,
  after: string,
  id: string,
  request: MatrixDiffRequest,
  { signal, layers }: CompareOptions = {},
): Promise<MatrixDiff | null> =>
  withBoth(before, after, signal, async (first, second) => {
    const organId = id.replace(/\.weight$/, '');
    const left = organsById(first.anatomy).get(organId);
    const right = alignedOrgans(organsById(second.anatomy), layers).get(organId);
    if (!left || !right) return null;
    return diffOf({ organ: left, anatomy: first.anatomy }, { organ: right, anatomy: second.anatomy }, request, signal);
  });

async function withBoth<T>(
  before: string,
  after: string,
  signal: AbortSignal | undefined,
  work: (first: Opened, second: Opened) => Promise<T>,
): Promise<T> {
  const first = await openPath(before, signal);
  try {
    const second = await openPath(after, signal);
    try {
      throwIfCancelled(signal);
      return await work(first, second);
    } finally {
      await second.close();
    }
  } finally {
    await first.close();
  }
}
