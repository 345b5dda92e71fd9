import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { fail, throwIfCancelled } from '../errors.ts';
import { evaluate as evaluateModels } from '../evaluation/evaluate.ts';
import { onnxRuntime } from '../evaluation/onnxruntime.ts';
import { readTask } from '../evaluation/read-task.ts';
import type { Evaluation } from '../evaluation/report.ts';
import { subjectOf } from './subject.ts';
import type { EvaluateRequest, SessionOptions } from './types.ts';

/** Runs a model on texts and measures quality, speed and how far its outputs lie from another's. */
export async function evaluate(
  path: string,
  request: EvaluateRequest,
  { signal, progress }: SessionOptions = {},
): Promise<Evaluation> {
  const { task: spec, against, threads = Math.min(4, availableParallelism()), batch = 32 } = request;
  for (const [name, value] of Object.entries({ threads, batch }))
    if (!Number.isInteger(value) || value < 1 || value > 4096)
      throw fail('usage', '{name} is a whole number from 1 to {most}.', { name, most: 4096 });
  if (spec === undefined) throw fail('usage', 'What to measure on is missing: a task or texts.');
  const task = await readTask(spec);
  const subject = await subjectOf(path, signal);
  const other = against === undefined ? undefined : await subjectOf(against, signal);
  throwIfCancelled(signal);
  return evaluateModels(subject, other, task, await onnxRuntime(), {
    threads,
    batch,
    ...(signal && { signal }),
    progress: (done, total) => progress?.({ fraction: done / total, what: basename(path) }),
  });
}
