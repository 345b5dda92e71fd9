import { throwIfCancelled } from '../../errors.ts';

/** Lets other work of the process run, and a cancel be seen: linear algebra of seconds awaits it between its steps. */
export const pauseOf =
  (signal?: AbortSignal): (() => Promise<void>) =>
  async () => {
    await new Promise(resolve => setImmediate(resolve));
    throwIfCancelled(signal);
  };
