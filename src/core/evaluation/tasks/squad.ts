import { basename } from 'node:path';
import { fail } from '../../errors.ts';
import { readJson } from '../read-text.ts';
import type { Sample, Task } from '../task.ts';
import type { Description } from './description.ts';
import { taskOf } from './task-of.ts';

interface Paragraph {
  readonly context: string;
  readonly qas: readonly { readonly question: string; readonly answers: readonly { readonly text: string }[] }[];
}

/** Questions as SQuAD 1.1 and 2.0 keep them: data, paragraphs, qas. throws 'malformed' with the question that lacks something */
export async function squadTask(name: string, path: string, described: Description): Promise<Task> {
  const { data } = ((await readJson(path)) ?? {}) as { data?: readonly { paragraphs?: readonly Paragraph[] }[] };
  const file = basename(path);
  if (!Array.isArray(data) || !data.every(it => Array.isArray(it?.paragraphs)))
    throw fail('malformed', 'This is not a file of SQuAD: it has no “data” with “paragraphs”.', {}, { file });
  const samples: Sample[] = [];
  for (const { context, qas } of data.flatMap(it => it.paragraphs as Paragraph[]))
    for (const { question, answers = [] } of qas ?? []) {
      const texts = Array.isArray(answers) ? answers.map(it => it?.text) : [undefined];
      if (typeof context !== 'string' || typeof question !== 'string' || !texts.every(it => typeof it === 'string'))
        throw fail(
          'malformed',
          'Question {number} lacks its text, its context or its answers.',
          { number: samples.length + 1 },
          { file },
        );
      // JSON has no lines: questions are counted.
      samples.push({ text: question, pair: context, answers: texts as string[], line: samples.length + 1 });
    }
  return taskOf(name, path, 'question-answering', samples, described, []);
}
