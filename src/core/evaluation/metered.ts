import type { Runner, Runtime } from './runtime.ts';

/**
 * A runtime that knows how far each of its models made the process grow. What one native call takes and gives back is seen only where
 * it is more than the process ever held; two models are run in turn, so that each call belongs to one. Asking ends the watch: a look
 * at the process's memory takes 0.1 ms, which must not be in a time that is measured.
 */
export function metered(runtime: Runtime): Runtime {
  const watch = async (load: () => Promise<Runner>): Promise<Runner> => {
    const meter = new MemoryMeter();
    const runner = await meter.during(load);
    return {
      ...runner,
      run: (feeds, wanted) => (meter.isOver ? runner.run(feeds, wanted) : meter.during(() => runner.run(feeds, wanted))),
      peakBytes: () => meter.end(),
    };
  };
  return {
    title: runtime.title,
    load: (path, threads, name) => watch(() => runtime.load(path, threads, name)),
    loadBytes: (bytes, name, threads) => watch(() => runtime.loadBytes(bytes, name, threads)),
  };
}

class MemoryMeter {
  isOver = false;
  #held = 0;
  #peak = 0;

  end(): number {
    this.isOver = true;
    return this.#peak;
  }

  async during<T>(work: () => Promise<T>): Promise<T> {
    const [before, highest] = [process.memoryUsage.rss(), highestEver()];
    const result = await work();
    const [after, highestNow] = [process.memoryUsage.rss(), highestEver()];
    const top = highestNow > highest ? highestNow : after;
    this.#peak = Math.max(this.#peak, this.#held + top - before);
    this.#held += after - before;
    return result;
  }
}

const highestEver = (): number => process.resourceUsage().maxRSS * 1024;
