import { availableParallelism } from 'node:os';
import { basename, dirname } from 'node:path';
import { fileFolder } from '../bytes/folder.ts';
import { fail, sentence, throwIfCancelled } from '../errors.ts';
import { evaluate as evaluateModels } from '../evaluation/evaluate.ts';
import { onnxRuntime } from '../evaluation/onnxruntime.ts';
import { readTask } from '../evaluation/read-task.ts';
import type { Evaluation } from '../evaluation/report.ts';
import type { Subject } from '../evaluation/subject.ts';
import { openPath } from './open.ts';
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

/** Opened first, so that a broken file, or one that points out of its folder, never reaches onnxruntime. */
async function subjectOf(path: string, signal?: AbortSignal): Promise<Subject> {
  const opened = await openPath(path, signal);
  try {
    const { model, anatomy } = opened;
    if (model.format !== 'onnx')
      throw fail(
        'unsupported',
        'Weights alone cannot be run; an ONNX model can.',
        {},
        { file: model.name, hint: sentence('Export it first: headroom export.') },
      );
    // onnx/model.onnx keeps its tokenizer one folder up.
    const folder = fileFolder(opened.folder);
    const above = basename(opened.folder) === 'onnx' ? fileFolder(dirname(opened.folder)) : undefined;
    return {
      path: opened.path,
      folder: { open: async name => (await folder.open(name)) ?? (await above?.open(name)), list: folder.list },
      config: model.config,
      positions: anatomy.positions,
      vocabulary: anatomy.vocabulary,
      fileBytes: model.byteLength,
    };
  } finally {
    await opened.close();
  }
}
