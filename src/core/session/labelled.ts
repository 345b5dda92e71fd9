import type { Folder } from '../bytes/source.ts';
import { fail } from '../errors.ts';
import { kinds } from '../evaluation/kinds/registry.ts';
import { classesOf } from '../evaluation/labels.ts';
import { readTask } from '../evaluation/read-task.ts';
import type { Sample, Task } from '../evaluation/task.ts';
import type { Labelled } from '../passes/pass.ts';
import type { Body } from '../rewrite/apply.ts';
import { openCalibration } from './calibrate.ts';
import type { Opened } from './open.ts';

/**
 * The model on the first `most` samples of a task, with what should be said of each. The caller closes it.
 * throws 'usage', 'malformed' from the task; 'unsupported' for a task whose samples have neither a class nor a score
 */
export async function openLabelled(
  input: Opened,
  body: Body,
  spec: string,
  most: number,
  beside: Folder,
  signal?: AbortSignal,
): Promise<Labelled & { close(): Promise<void> }> {
  const all = await readTask(spec);
  const task = { ...all, samples: spread(all.samples, most) };
  const labels = labelsOf(task, body);
  const texts = task.samples.flatMap(sample => kinds[task.kind].inputs(sample));
  const calibration = await openCalibration(input, body, texts, beside, signal);
  return { calibration, labels, close: () => calibration.close() };
}

/** So many from all over the file: files are often sorted. */
const spread = (samples: readonly Sample[], most: number): readonly Sample[] =>
  samples.length <= most
    ? samples
    : Array.from({ length: most }, (_, place) => samples[Math.floor((place * samples.length) / most)]!);

function labelsOf(task: Task, { model }: Body): Labelled['labels'] {
  if (task.kind === 'classification') {
    const { id2label, num_labels } = model.config;
    const named = Object.keys((id2label as Record<string, string> | undefined) ?? {}).length;
    return { kind: 'classes', classes: classesOf(task, named || Number(num_labels ?? 2), model.config) };
  }
  if (task.kind === 'similarity') {
    const scores = task.samples.map(({ expected }) => Number(expected));
    const most = Math.max(...scores) || 1;
    return { kind: 'scores', scores: scores.map(score => score / most) };
  }
  throw fail(
    'unsupported',
    'Gradients are told against classes or scores of similarity; {task} has neither.',
    { task: task.name },
    { file: task.file },
  );
}
