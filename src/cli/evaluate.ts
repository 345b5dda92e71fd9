import { Command } from 'commander';
import { fail, say } from '../core/errors.ts';
import type { Session } from '../core/session/types.ts';
import { answer, answerJson } from './answer.ts';
import { progressBar } from './progress.ts';
import { bytes, count, table } from './table.ts';

interface Flags {
  readonly task: string;
  readonly against?: string;
  readonly threads?: string;
  readonly batch?: string;
  readonly layers?: boolean;
  readonly record?: boolean;
  readonly json?: boolean;
}

const examples = `
Examples:
  headroom evaluate model.onnx --task sst2:dev.tsv
  headroom evaluate model.int8.onnx --against model.onnx --task stsb:dev.csv
  headroom evaluate model.int8.onnx --against model.onnx --task text:sentences.txt --layers --json`;

export function evaluateCommand(session: Session, signal: AbortSignal): Command {
  return new Command('evaluate')
    .description('run a model on texts: quality, speed, and how far its outputs lie from those of another model')
    .argument('<file>', 'a .onnx, a .safetensors (exported for the run), or a folder that holds one')
    .requiredOption(
      '--task <task>',
      'stsb:FILE.csv, sst2:FILE.tsv, squad:FILE.json, ner:FILE, perplexity:FILE, text:FILE, or a JSON that names file, columns and metrics',
    )
    .option('--against <file>', 'the model its outputs are compared with')
    .option('--threads <count>', 'threads of onnxruntime (default: the cores, 4 at most)')
    .option('--batch <count>', 'texts run together (default: 32)')
    .option('--layers', 'drift by layer too, from the embeddings up (with --against)')
    .option('--record', 'keep the answer beside the model, as NAME.headroom.json')
    .option('--json', 'the whole answer as JSON')
    .addHelpText('after', examples)
    .action(async (file: string, { task, against, threads, batch, layers, record, json }: Flags) => {
      const bar = progressBar();
      const request = {
        task,
        ...(against !== undefined && { against }),
        ...(layers && { layers }),
        ...(threads !== undefined && { threads: wholeNumber('--threads', threads) }),
        ...(batch !== undefined && { batch: wholeNumber('--batch', batch) }),
      };
      const found = await session.evaluate(file, request, { signal, progress: bar.progress }).finally(bar.done);
      if (record) await session.keepRecord(file, { evaluation: found, task, ...(against !== undefined && { against }) });
      if (json) answerJson(found);
      else answer(describe(found));
      for (const note of found.notes) process.stderr.write(`note: ${say(note)}\n`);
    });
}

function wholeNumber(flag: string, text: string): number {
  if (!/^\d+$/.test(text)) throw fail('usage', '{flag} is a whole number, not “{text}”.', { flag, text });
  return Number(text);
}

type Evaluation = Awaited<ReturnType<Session['evaluate']>>;

/** A column a model: the one that is the measure first, as before stands before after. */
function describe(evaluation: Evaluation): string {
  const { task, drift, against, worst, layers = [], firstNonFinite, threads, batch, runtime, ...model } = evaluation;
  const models = against ? [against, model] : [model];
  const rows = [
    ['', ...models.map(it => it.file)],
    ...model.metrics.map(({ name }, i) => [name, ...models.map(it => points(it.metrics[i]?.value ?? null))]),
    ['file', ...models.map(it => bytes(it.fileBytes))],
    ['latency, median', ...models.map(it => `${it.latency.medianMs.toFixed(1)} ms`)],
    ['latency, 90 %', ...models.map(it => `${it.latency.p90Ms.toFixed(1)} ms`)],
    ['loading', ...models.map(it => `${it.loadMs.toFixed(0)} ms`)],
    ['memory', ...models.map(it => (it.memoryBytes === undefined ? '-' : bytes(it.memoryBytes)))],
    ['multiply-adds', ...models.map(it => (it.multiplyAdds ? millions(it.multiplyAdds) : '-'))],
    ...(models.some(it => it.cut > 0) ? [['texts cut', ...models.map(it => count(it.cut))]] : []),
  ];
  const moved = drift && [
    '',
    `outputs of ${drift.count} texts against ${against!.file}:`,
    table(
      [
        ['cosine, mean', shown(drift.cosineMean)],
        ['cosine, smallest', shown(drift.cosineMin)],
        ['largest difference', shown(drift.maxAbs)],
        ...(drift.agreement === null ? [] : [['same prediction', `${(100 * drift.agreement).toFixed(2)} %`]]),
        ...(drift.kl === null ? [] : [['KL divergence', shown(drift.kl)]]),
      ],
      [1],
    ),
    ...(worst.length > 0
      ? [
          '',
          'moved most:',
          table(
            worst.map(it => [shown(it.cosine), classes(it.before, it.after), it.text.slice(0, 90)]),
            [0],
          ),
        ]
      : []),
    ...(layers.length > 0
      ? [
          '',
          'by layer, mean and worst text:',
          table(
            layers.map(it => [it.id, it.against === it.id ? '' : it.against, it.measure, shown(it.mean), shown(it.min)]),
            [3, 4],
          ),
        ]
      : []),
  ];
  const { latency } = model;
  return [
    `${task}${measuredOn(model.metrics[0])}; ${runtime}, ${threads} threads, batches of ${batch}`,
    `latency: batch ${latency.batch}, length ${latency.length}, ${latency.runs} runs, the models in turn`,
    '',
    table(rows, [1, 2]),
    ...(moved ?? []),
    ...(firstNonFinite ? ['', `not finite first in ${firstNonFinite.id}: ${firstNonFinite.text.slice(0, 90)}`] : []),
    '',
    `${evaluation.seconds.toFixed(1)} s, at most ${bytes(evaluation.peakBytes)} of memory`,
  ].join('\n');
}

const measuredOn = (metric: Evaluation['metrics'][number] | undefined): string =>
  metric ? `, ${count(metric.count)} ${metric.name === 'pseudo-perplexity' ? 'tokens' : 'samples'}` : '';

const millions = (value: number): string => `${(value / 1e6).toFixed(1)} M`;
const points = (value: number | null): string => (value === null ? '-' : value.toFixed(2));
/** Cut, not rounded: 1.00000 is the same. */
const shown = (value: number | null): string => (value === null ? '-' : (Math.floor(value * 1e5) / 1e5).toFixed(5));
const classes = (before: number | null, after: number | null): string =>
  before === null || after === null ? '' : `${before} -> ${after}`;
