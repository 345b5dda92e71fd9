import { availableParallelism } from 'node:os';
import { fail } from '../errors.ts';
import { evaluate as evaluateModels } from '../evaluation/evaluate.ts';
import { onnxRuntime } from '../evaluation/onnxruntime.ts';
import { readTask, taskOfTexts } from '../evaluation/read-task.ts';
import type { Evaluation } from '../evaluation/report.ts';
import type { Task } from '../evaluation/task.ts';
import { lookInside } from './look-inside.ts';
import { type OpenedSubject, subjectOf } from './subject.ts';
import type { EvaluateRequest, SessionOptions } from './types.ts';

/** Runs a model on texts and measures quality, speed and how far its outputs lie from another's. */
export async function evaluate(
  path: string,
  request: EvaluateRequest,
  { signal, progress }: SessionOptions = {},
): Promise<Evaluation> {
  const { against, threads = Math.min(4, availableParallelism()), batch = 32 } = request;
  for (const [name, value] of Object.entries({ threads, batch }))
    if (!Number.isInteger(value) || value < 1 || value > 4096)
      throw fail('usage', '{name} is a whole number from 1 to {most}.', { name, most: 4096 });
  const task = await taskOf(request);
  const subjects: OpenedSubject[] = [];
  try {
    for (const each of against === undefined ? [path] : [path, against]) subjects.push(await subjectOf(each, signal));
    const [subject, other] = subjects;
    const runtime = await onnxRuntime();
    const options = { threads, batch, ...(signal && { signal }) };
    const measured = await evaluateModels(subject!, other, task, runtime, {
      ...options,
      progress: (done, total, what) => progress?.({ fraction: done / total, what }),
    });
    const layers = request.layers ?? false;
    const found = await lookInside(measured, subjects, task, runtime, {
      ...options,
      layers,
      progress: (done, total) => progress?.({ fraction: done / total, what: measured.file }),
    });
    return { ...found, notes: [...subjects.flatMap(it => it.notes), ...found.notes] };
  } finally {
    for (const each of subjects) await each.close();
  }
}

async function taskOf({ task, texts, title }: EvaluateRequest): Promise<Task> {
  if (task !== undefined && texts !== undefined) throw fail('usage', 'Either a task or texts, not both.');
  if (texts !== undefined) return taskOfTexts(texts, title);
  if (task === undefined) throw fail('usage', 'What to measure on is missing: a task or texts.');
  return readTask(task);
}
