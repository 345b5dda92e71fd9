import { availableParallelism } from 'node:os';
import { feeds, inputsOf } from '../evaluation/inputs.ts';
import { latencyOf, timesInTurn } from '../evaluation/latency.ts';
import { onnxRuntime } from '../evaluation/onnxruntime.ts';
import type { Runner } from '../evaluation/runtime.ts';
import type { Edit, PassContext } from '../passes/pass.ts';
import type { Body } from '../rewrite/apply.ts';
import { encode, graphOf } from './calibrate.ts';
import type { Opened } from './open.ts';

type Latency = NonNullable<PassContext['latency']>;

/** Times what edits make of a body, in turn with the body as it is, which is loaded once. The caller closes it. */
export function openLatency(
  input: Opened,
  body: Body,
  signal?: AbortSignal,
): { readonly latency: Latency; close(): Promise<void> } {
  const threads = Math.min(4, availableParallelism());
  const edited = graphOf(input, body, signal);
  const load = async (edits: readonly Edit[]): Promise<Runner> =>
    (await onnxRuntime()).loadBytes(await encode((await edited(edits)).model), input.model.name, threads);
  let original: Promise<Runner> | undefined;
  return {
    async latency(edits, shape) {
      original ??= load([]);
      const [before, after] = [await original, await load(edits)];
      try {
        const [first, second] = await timesInTurn(
          [before, after].map(runner => runOf(runner, body, shape)),
          signal,
        );
        const median = (times: readonly number[]) => latencyOf(times, { threads, ...shape }).medianMs;
        return { ms: median(second!), originalMs: median(first!) };
      } finally {
        await after.close();
      }
    },
    close: async () => (await original?.catch(() => undefined))?.close(),
  };
}

/** One run on texts of so many tokens, as far as the model takes them: ids from all over the vocabulary. */
function runOf(runner: Runner, { anatomy }: Body, shape: { readonly batch: number; readonly length: number }) {
  const inputs = inputsOf(runner);
  const length = Math.min(inputs.fixedLength ?? shape.length, anatomy.positions || shape.length);
  const batch = inputs.fixedBatch ?? shape.batch;
  const rows = Array.from({ length: batch }, (_, row) => ({
    ids: Array.from({ length }, (_, at) => 1 + (((row * length + at) * 7919) % Math.max(1, anatomy.vocabulary - 1))),
    types: new Array<number>(length).fill(0),
  }));
  const { feeds: fed } = feeds(inputs, rows, 0, 0);
  return () => runner.run(fed, runner.outputs);
}
