import { basename, dirname, resolve } from 'node:path';
import { fail } from '../../errors.ts';
import { metricsOfTasks } from '../metrics/registry.ts';
import { readJson } from '../read-text.ts';
import type { Task } from '../task.ts';
import type { Column, Columns, Description } from './description.ts';
import { squadTask } from './squad.ts';
import { tableTask } from './table-task.ts';
import { taggedTask } from './tagged.ts';

/** A task as a JSON file describes it: `file` is relative to that file, the columns say what kind of task it is. */
export async function describedTask(path: string): Promise<Task> {
  const file = basename(path);
  const described = ((await readJson(path)) ?? {}) as Description & { readonly file?: unknown };
  const wrong = wrongField(described);
  if (wrong)
    throw fail(
      'malformed',
      'This task’s “{field}” is missing or not understood. Wanted: file, columns (text, pair, label or score; question, context, answers; token, tag), metrics ({metrics}), pooling (mean, cls), max_length.',
      { field: wrong, metrics: metricsOfTasks.map(metric => metric.id).join(', ') },
      { file },
    );
  const name = file.replace(/\.json$/i, '');
  const texts = resolve(dirname(path), described.file as string);
  if (/\.json$/i.test(texts)) return squadTask(name, texts, described);
  if (described.columns?.tag !== undefined) return taggedTask(name, texts, described);
  return tableTask(name, texts, described);
}

function wrongField({ file, columns = {}, metrics = [], pooling, max_length: maxLength }: Description & { file?: unknown }) {
  if (typeof file !== 'string') return 'file';
  if (typeof columns !== 'object' || !Object.values(columns).every(isColumn)) return 'columns';
  if (!/\.json$/i.test(file) && !isComplete(columns)) return 'columns';
  if (!Array.isArray(metrics) || !metrics.every(id => metricsOfTasks.some(metric => metric.id === id))) return 'metrics';
  if (pooling !== undefined && pooling !== 'mean' && pooling !== 'cls') return 'pooling';
  if (maxLength !== undefined && !(Number.isInteger(maxLength) && maxLength > 0)) return 'max_length';
  return undefined;
}

/** A text; or a question and where its answer is; or a token and its tag. */
const isComplete = ({ text, question, context, answers, token, tag }: Columns): boolean =>
  tag !== undefined
    ? token !== undefined
    : question !== undefined
      ? context !== undefined && answers !== undefined
      : text !== undefined;

const isColumn = (value: unknown): value is Column => typeof value === 'string' || Number.isInteger(value);
