import { fail } from '../errors.ts';
import type { Task } from './task.ts';
import { describedTask } from './tasks/described.ts';
import { squadTask } from './tasks/squad.ts';
import { tableTask } from './tasks/table-task.ts';
import { taggedTask } from './tasks/tagged.ts';
import { textTask } from './tasks/text-task.ts';

export { taskOfTexts } from './tasks/text-task.ts';

const forms: Readonly<Record<string, (path: string) => Promise<Task>>> = {
  stsb: path => tableTask('stsb', path, { columns: { text: 0, pair: 1, score: 2 } }),
  sst2: path => tableTask('sst2', path, { columns: { text: 'sentence', label: 'label' } }),
  squad: path => squadTask('squad', path, {}),
  ner: path => taggedTask('ner', path, { columns: { token: 0, tag: -1 } }),
  perplexity: path => textTask(path, 'masked-language'),
  text: path => textTask(path, 'text'),
};

/**
 * TASK of the command line: stsb:FILE.csv, sst2:FILE.tsv, squad:FILE.json, ner:FILE, perplexity:FILE, text:FILE, or the path of a JSON
 * that names file, columns and metrics.
 * throws  'usage' for any other form, 'malformed' for a file that does not hold what its form says
 */
export async function readTask(spec: string): Promise<Task> {
  const [, form, path] = /^(\w+):(.+)$/s.exec(spec) ?? [];
  if (form !== undefined && Object.hasOwn(forms, form)) return forms[form]!(path!);
  if (/\.json$/i.test(spec)) return describedTask(spec);
  throw fail('usage', 'This is no task: {spec}. A task is {forms} or a JSON file.', {
    spec,
    forms: Object.keys(forms)
      .map(each => `${each}:FILE`)
      .join(', '),
  });
}
