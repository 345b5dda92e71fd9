import { throwIfCancelled } from '../errors.ts';

/**
 * What `read` gives for 0, 1, … up to `runs`, in order; the next `ahead` are read while the caller works on one. Ended early or not,
 * nothing is still being read afterwards: its buffers can be used for something else.
 */
export async function* readAhead<T>(
  runs: number,
  ahead: number,
  read: (run: number) => Promise<T>,
  signal?: AbortSignal,
): AsyncGenerator<T> {
  const reading: Promise<T>[] = [];
  let asked = 0;
  try {
    for (let run = 0; run < runs; run++) {
      for (; asked < Math.min(run + 1 + ahead, runs); asked++) {
        const pending = read(asked);
        pending.catch(() => undefined); // thrown where it is awaited
        reading.push(pending);
      }
      const values = await reading.shift()!;
      throwIfCancelled(signal);
      yield values;
    }
  } finally {
    await Promise.allSettled(reading);
  }
}
