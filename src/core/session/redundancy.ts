import { analyse } from '../report/redundancy/analyse.ts';
import type { Redundancy } from '../report/redundancy.ts';
import { openPath } from './open.ts';
import type { SessionOptions } from './types.ts';

/** Where a model repeats itself, from its weights. */
export async function redundancy(path: string, { signal, progress }: SessionOptions = {}): Promise<Redundancy> {
  const opened = await openPath(path, signal);
  try {
    return await analyse(opened.model, opened.anatomy, {
      signal,
      progress: (fraction, what) => progress?.({ fraction, what }),
    });
  } finally {
    await opened.close();
  }
}
