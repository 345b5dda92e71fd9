import { basename } from 'node:path';
import { fail, type Sentence, sentence, throwIfCancelled } from '../errors.ts';
import { batches } from './batches.ts';
import { classOf, DriftCollector } from './drift.ts';
import { feeds } from './inputs.ts';
import { classesOf } from './labels.ts';
import { latencyOf, timesInTurn } from './latency.ts';
import { cosineOf } from './metrics/cosine.ts';
import { qualityMetrics } from './metrics/registry.ts';
import { allFinite, type TextOutput, textOutput } from './outputs.ts';
import type { Evaluation, Latency, Measured, MetricValue } from './report.ts';
import type { Runtime } from './runtime.ts';
import { type Input, type Prepared, prepare, type Subject, tokenizersOf } from './subject.ts';
import type { Task } from './task.ts';

export interface EvaluateOptions {
  readonly threads: number;
  /** Texts run together. */
  readonly batch: number;
  readonly signal?: AbortSignal;
  /**
   * Texts run, of all, and the model that is about to be loaded or run: whoever hears this and no more knows which one brought the
   * process down.
   */
  readonly progress?: (done: number, total: number, model: string) => void;
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
      prepared.push(await prepare(each, tokenizers[index]!, texts, task, runtime, options.threads));
    }
    const isDrawn = prepared[0]!.tokenizer.kind === 'seed';
    const expected = isDrawn ? [] : prepared.map(it => expectedOf(task, it));
    const found = await runAll(prepared, texts, task, options);
    const latencies = await measureLatency(prepared, options);
    const measured = prepared.map(
      (it, index): Measured => ({
        file: it.runner.name,
        metrics: isDrawn ? [] : qualityOf(task, found.answers[index]!, expected[index]!),
        latency: latencies[index]!,
        loadMs: it.runner.loadMs,
        fileBytes: it.subject.fileBytes,
        cut: it.cut,
        nonFinite: found.nonFinite[index]!,
        tokenizer: it.tokenizer.kind,
      }),
    );
    return {
      version: 1,
      task: task.name,
      ...measured[0]!,
      drift: against ? found.drift.drift() : null,
      peakBytes: process.resourceUsage().maxRSS * 1024,
      threads: options.threads,
      batch: options.batch,
      runtime: runtime.title,
      seconds: (performance.now() - started) / 1000,
      against: measured[1] ?? null,
      worst: against ? found.drift.worst() : [],
      notes: [...task.notes, ...measured.flatMap((it, index) => notesOf(it, prepared[index]!.maxLength))],
    };
  } finally {
    for (const { runner } of prepared) await runner.close();
  }
}

/** A similarity's two texts are run apart, one after the other; a classifier reads a pair together. */
export function textsOf({ kind, samples }: Task): Input[] {
  if (kind !== 'similarity') return samples.map(({ text, pair }) => (pair === undefined ? { text } : { text, pair }));
  return samples.flatMap(({ text, pair }) => [{ text }, { text: pair ?? '' }]);
}

/** What the answers should be, as numbers. Checked before anything long is run. */
function expectedOf(task: Task, { chosen, subject, runner }: Prepared): number[] {
  if (task.kind === 'text') return [];
  if (task.kind === 'similarity') return task.samples.map(({ expected }) => Number(expected));
  if (chosen.logits === undefined || chosen.classes < 2)
    throw fail(
      'unsupported',
      'This model predicts no classes, and the task has labels.',
      {},
      { file: runner.name, hint: sentence('Measure it with text:FILE or with pairs of sentences.') },
    );
  return classesOf(task, chosen.classes, subject.config);
}

/** What is kept of each model's outputs: the vector or the class of each text. */
type Answer = Float32Array | number | null;

interface Found {
  readonly answers: readonly Answer[][];
  readonly nonFinite: number[];
  readonly drift: DriftCollector;
}

async function runAll(
  prepared: readonly Prepared[],
  texts: readonly Input[],
  task: Task,
  options: EvaluateOptions,
): Promise<Found> {
  const found: Found = {
    answers: prepared.map(() => new Array<Answer>(texts.length).fill(null)),
    nonFinite: prepared.map(() => 0),
    drift: new DriftCollector(),
  };
  const size = Math.min(options.batch, ...prepared.map(it => it.inputs.fixedBatch ?? options.batch));
  const once = distinct(texts);
  let done = 0;
  for (const chosen of batches(
    once.map(([first]) => prepared[0]!.encodings[first!]!.ids.length),
    size,
  )) {
    const groups = chosen.map(index => once[index]!);
    const places = groups.map(([first]) => first!);
    throwIfCancelled(options.signal);
    const outputs: TextOutput[][] = [];
    for (const [index, each] of prepared.entries()) {
      options.progress?.(done, texts.length, each.runner.name);
      const ofBatch = await runBatch(each, places, task);
      outputs.push(ofBatch);
      for (const [i, output] of ofBatch.entries()) {
        const answer = task.kind === 'classification' ? classOf(output) : task.kind === 'similarity' ? output.vector : null;
        for (const place of groups[i]!) found.answers[index]![place] = answer;
        if (!allFinite(output.values)) found.nonFinite[index]! += groups[i]!.length;
      }
    }
    const [after, before] = outputs;
    if (before)
      for (const [i, group] of groups.entries())
        for (const place of group) found.drift.add(place, texts[place]!.text, before[i]!, after![i]!);
    for (const group of groups) done += group.length;
  }
  return found;
}

/** Places of the same text together: each is run once. */
function distinct(texts: readonly Input[]): number[][] {
  const found = new Map<string, number[]>();
  for (const [place, { text, pair }] of texts.entries()) {
    const key = pair === undefined ? text : `${text}\0${pair}`;
    const same = found.get(key);
    if (same) same.push(place);
    else found.set(key, [place]);
  }
  return [...found.values()];
}

async function runBatch(
  { runner, inputs, chosen, encodings, tokenizer, firstPosition }: Prepared,
  places: readonly number[],
  { pooling }: Task,
): Promise<TextOutput[]> {
  const rows = places.map(place => encodings[place]!);
  const wanted = [chosen.vectors, chosen.logits].filter(name => name !== undefined);
  const results = await runner.run(feeds(inputs, rows, tokenizer.pad, firstPosition).feeds, wanted);
  return rows.map((row, b) => textOutput(results, chosen, b, row.ids.length, pooling));
}

function qualityOf(task: Task, answers: readonly Answer[], expected: readonly number[]): MetricValue[] {
  if (task.kind === 'text') return [];
  const predicted =
    task.kind === 'classification'
      ? (answers as number[])
      : expected.map((_, i) => cosineOf(answers[2 * i] as Float32Array, answers[2 * i + 1] as Float32Array));
  return qualityMetrics
    .filter(metric => task.metrics.includes(metric.id))
    .map(metric => {
      const value = 100 * metric.of(predicted, expected);
      return { name: metric.id, value: Number.isFinite(value) ? value : null, count: expected.length };
    });
}

/** One text of 128 tokens, or of as many as both models take. */
async function measureLatency(prepared: readonly Prepared[], { threads, signal }: EvaluateOptions): Promise<Latency[]> {
  const length = Math.min(timedLength, ...prepared.map(it => it.maxLength));
  const runs = prepared.map(({ runner, inputs, chosen, encodings, tokenizer, firstPosition }) => {
    const real = encodings.find(it => it.ids.length > 0)!.ids;
    const row = { ids: Array.from({ length }, (_, t) => real[t % real.length]!), types: new Array<number>(length).fill(0) };
    const wanted = [chosen.vectors, chosen.logits].filter(name => name !== undefined);
    const { feeds: fed } = feeds(inputs, [row], tokenizer.pad, firstPosition);
    return () => runner.run(fed, wanted);
  });
  const times = await timesInTurn(runs, signal);
  return times.map((each, index) => latencyOf(each, { threads, batch: prepared[index]!.inputs.fixedBatch ?? 1, length }));
}

function notesOf({ file, cut, nonFinite, tokenizer }: Measured, maxLength: number): Sentence[] {
  return [
    ...(tokenizer === 'seed'
      ? [
          sentence(
            '{file}: there is no tokenizer beside the model, so ids were drawn by chance. Only how far outputs moved is measured.',
            { file },
          ),
        ]
      : []),
    ...(cut > 0
      ? [
          sentence('{file}: {count} texts were longer than {length} tokens and were cut.', {
            file,
            count: cut,
            length: maxLength,
          }),
        ]
      : []),
    ...(nonFinite > 0
      ? [sentence('{file}: the outputs of {count} texts hold NaN or infinity.', { file, count: nonFinite })]
      : []),
  ];
}
