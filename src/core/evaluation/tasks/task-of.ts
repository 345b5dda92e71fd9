import { basename } from 'node:path';
import { fail, type Sentence } from '../../errors.ts';
import { metricsOfTasks } from '../metrics/registry.ts';
import type { Sample, Task, TaskKind } from '../task.ts';
import type { Description } from './description.ts';

/** A task of what was read; the metrics are those asked for that fit its kind, or the usual ones. throws 'malformed' without samples */
export function taskOf(
  name: string,
  path: string,
  kind: TaskKind,
  samples: readonly Sample[],
  { metrics = [], pooling = 'mean', max_length: maxLength }: Description,
  notes: readonly Sentence[],
): Task {
  const file = basename(path);
  if (samples.length === 0) throw fail('malformed', 'There is no text in this file.', {}, { file });
  const fitting = metricsOfTasks.filter(metric => metric.kind === kind);
  const asked = metrics.length > 0 ? fitting.filter(it => metrics.includes(it.id)) : fitting.filter(it => it.usual);
  return { name, file, kind, samples, metrics: asked.map(it => it.id), pooling, ...(maxLength && { maxLength }), notes };
}
