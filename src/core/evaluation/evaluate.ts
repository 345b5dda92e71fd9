import { basename } from 'node:path';
import { throwIfCancelled } from '../errors.ts';
import { feeds } from './inputs.ts';
import type { Scorer } from './kinds/kind.ts';
import { kinds } from './kinds/registry.ts';
import { latencyOf, timesInTurn } from './latency.ts';
import { metered } from './metered.ts';
import { notesOf } from './notes.ts';
import { wantedOf } from './outputs.ts';
import { multiplyAdds } from './products/multiply-adds.ts';
import type { Evaluation, Latency, Measured, MetricValue } from './report.ts';
import { type RunOptions, runTexts } from './run-texts.ts';
import type { Runtime } from './runtime.ts';
import { type Input, type Prepared, prepare, type Subject, tokenizersOf } from './subject.ts';
import type { Task } from './task.ts';

export interface EvaluateOptions extends RunOptions {
  readonly threads: number;
}

/** Length of the text that is timed, in tokens, where the model takes it. */
const timedLength = 128;

/**
 * Runs a model over a task, beside another one where there is `against`: batch by batch, so that outputs are compared and let go.
 * throws  'unsupported' when a model cannot be run or lacks what the task needs, 'malformed' when labels do not fit, 'cancelled'
 */
export async function evaluate(
  subject: Subject,
  against: Subject | undefined,
  task: Task,
  runtime: Runtime,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const started = performance.now();
  const texts = textsOf(task);
  const subjects = against ? [subject, against] : [subject];
  const tokenizers = await tokenizersOf(subjects);
  const prepared: Prepared[] = [];
  try {
    for (const [index, each] of subjects.entries()) {
      throwIfCancelled(options.signal);
      options.progress?.(0, texts.length, each.name ?? basename(each.path));
      prepared.push(await prepare(each, tokenizers[index]!, texts, task, metered(runtime), options.threads));
    }
    const isDrawn = prepared[0]!.tokenizer.kind === 'seed';
    const scorers = prepared.map(it => (isDrawn ? undefined : kinds[task.kind].scorer(task, it)));
    const ran = await runTexts(prepared, texts, task, scorers, options);
    const metrics = await metricsOf(prepared, scorers, texts.length, options);
    const memory = prepared.map(it => it.runner.peakBytes!());
    const latencies = await measureLatency(prepared, options);
    const measured = prepared.map(
      (it, index): Measured => ({
        file: it.runner.name,
        metrics: metrics[index]!,
        latency: latencies[index]!,
        loadMs: it.runner.loadMs,
        fileBytes: it.subject.fileBytes,
        memoryBytes: memory[index]!,
        multiplyAdds: computedIn(it.subject, latencies[index]!),
        cut: it.cut,
        nonFinite: ran.nonFinite[index]!,
        tokenizer: it.tokenizer.kind,
      }),
    );
    return {
      version: 1,
      task: task.name,
      ...measured[0]!,
      drift: against ? ran.drift.drift() : null,
      peakBytes: process.resourceUsage().maxRSS * 1024,
      threads: options.threads,
      batch: options.batch,
      runtime: runtime.title,
      seconds: (performance.now() - started) / 1000,
      against: measured[1] ?? null,
      worst: against ? ran.drift.worst() : [],
      notes: [...task.notes, ...measured.flatMap((it, index) => notesOf(it, prepared[index]!.maxLength))],
    };
  } finally {
    for (const { runner } of prepared) await runner.close();
  }
}

/** What the models read, sample after sample. */
export const textsOf = ({ kind, samples }: Task): Input[] => samples.flatMap(sample => kinds[kind].inputs(sample));

async function metricsOf(
  prepared: readonly Prepared[],
  scorers: readonly (Scorer | undefined)[],
  total: number,
  { batch, signal, progress }: EvaluateOptions,
): Promise<(readonly MetricValue[])[]> {
  const found: (readonly MetricValue[])[] = [];
  for (const [index, { runner }] of prepared.entries()) {
    const step = () => {
      throwIfCancelled(signal);
      progress?.(total, total, runner.name);
    };
    found.push((await scorers[index]?.metrics({ batch, step })) ?? []);
  }
  return found;
}

const computedIn = ({ shapes }: Subject, { batch, length }: Latency): number | null =>
  (shapes && multiplyAdds(shapes, batch, length)) ?? null;

/** One text of 128 tokens, or of as many as both models take. */
async function measureLatency(prepared: readonly Prepared[], { threads, signal }: EvaluateOptions): Promise<Latency[]> {
  const length = Math.min(timedLength, ...prepared.map(it => it.maxLength));
  const runs = prepared.map(({ runner, inputs, chosen, encodings, tokenizer, firstPosition }) => {
    const real = encodings.find(it => it.ids.length > 0)!.ids;
    const row = { ids: Array.from({ length }, (_, t) => real[t % real.length]!), types: new Array<number>(length).fill(0) };
    const { feeds: fed } = feeds(inputs, [row], tokenizer.pad, firstPosition);
    return () => runner.run(fed, wantedOf(chosen));
  });
  const times = await timesInTurn(runs, signal);
  return times.map((each, index) => latencyOf(each, { threads, batch: prepared[index]!.inputs.fixedBatch ?? 1, length }));
}
