import { fail, sentence } from '../../errors.ts';
import { readText } from '../read-text.ts';
import type { Task } from '../task.ts';
import { taskOf } from './task-of.ts';

/** A text a line. Empty lines are left out, and counted in the notes. */
export async function textTask(path: string, kind: 'text' | 'masked-language'): Promise<Task> {
  const lines = (await readText(path)).split('\n').map((line, index) => ({ text: line.replace(/\r$/, ''), line: index + 1 }));
  const samples = lines.filter(({ text }) => text.trim() !== '');
  // The end of the last line is no empty line.
  const empty = lines.length - samples.length - (lines.at(-1)!.text === '' ? 1 : 0);
  const notes = empty > 0 ? [sentence('{count} empty lines were left out.', { count: empty })] : [];
  return taskOf(kind === 'text' ? 'text' : 'perplexity', path, kind, samples, {}, notes);
}

/** Texts as they are given, for drift alone. Empty ones are left out, and counted in the notes. throws 'usage' when none is left */
export function taskOfTexts(texts: readonly string[], title = 'text'): Task {
  const samples = texts.map((text, index) => ({ text, line: index + 1 })).filter(({ text }) => text.trim() !== '');
  if (samples.length === 0) throw fail('usage', 'There is no text to run the model on.');
  const empty = texts.length - samples.length;
  const notes = empty > 0 ? [sentence('{count} empty texts were left out.', { count: empty })] : [];
  return taskOf(title, title, 'text', samples, {}, notes);
}
