import { basename } from 'node:path';
import { fail } from '../../errors.ts';
import { readText } from '../read-text.ts';
import type { Sample, Task } from '../task.ts';
import type { Description } from './description.ts';
import { taskOf } from './task-of.ts';

/**
 * Words and their tags as CoNLL keeps them: a word a line, columns by tabs or spaces, an empty line between sentences.
 * source  Tjong Kim Sang and De Meulder 2003; -DOCSTART- lines are no words
 */
export async function taggedTask(name: string, path: string, described: Description): Promise<Task> {
  const { token = 0, tag = -1 } = described.columns ?? {};
  const file = basename(path);
  if (typeof token !== 'number' || typeof tag !== 'number')
    throw fail(
      'malformed',
      'Columns of words and tags are given by their place: a number from 0, or -1 for the last.',
      {},
      { file },
    );
  const samples: Sample[] = [];
  let open: { words: string[]; tags: string[]; line: number } | undefined;
  const close = () => {
    if (open) samples.push({ text: open.words.join(' '), ...open });
    open = undefined;
  };
  for (const [index, raw] of (await readText(path)).split('\n').entries()) {
    const cells = raw.trim() === '' ? [] : raw.trim().split(/\t|[ \r]+/);
    if (cells.length === 0 || cells[0] === '-DOCSTART-') close();
    else {
      const [word, its] = [cells.at(token), cells.at(tag)];
      if (word === undefined || its === undefined || cells.length < 2)
        throw fail('malformed', 'Line {line} has no word and tag.', { line: index + 1 }, { file });
      open ??= { words: [], tags: [], line: index + 1 };
      open.words.push(word);
      open.tags.push(its);
    }
  }
  close();
  return taskOf(name, path, 'token-classification', samples, described, []);
}
