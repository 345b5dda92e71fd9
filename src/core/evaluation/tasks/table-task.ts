import { basename } from 'node:path';
import { fail, type Sentence, sentence } from '../../errors.ts';
import { readText } from '../read-text.ts';
import { commaSeparated, type Row, tabSeparated } from '../table.ts';
import type { Sample, Task, TaskKind } from '../task.ts';
import type { Column, Columns, Description } from './description.ts';
import { taskOf } from './task-of.ts';

/** A row a sample; .csv by commas, else by tabs. throws 'malformed' with the line for what does not fit */
export async function tableTask(name: string, path: string, described: Description): Promise<Task> {
  const { columns = {} } = described;
  const file = basename(path);
  const text = await readText(path);
  const rows = /\.csv$/i.test(path) ? commaSeparated(text) : tabSeparated(text);
  const kind = kindOf(columns, described.metrics ?? []);
  const { places, body } = locate(columns, rows, file);
  const samples: Sample[] = [];
  let empty = 0;
  for (const row of body) {
    const sample = sampleOf(row, places, kind, file);
    if (sample.text.trim() === '') empty++;
    else samples.push(sample);
  }
  if (kind === 'similarity') samples.forEach(sample => void checkScore(sample, file));
  const notes: Sentence[] = empty > 0 ? [sentence('{count} rows without a text were left out.', { count: empty })] : [];
  return taskOf(name, path, kind, samples, described, notes);
}

function kindOf({ score, label, question }: Columns, metrics: readonly string[]): TaskKind {
  if (question !== undefined) return 'question-answering';
  if (score !== undefined) return 'similarity';
  if (label !== undefined) return 'classification';
  return metrics.includes('pseudo-perplexity') ? 'masked-language' : 'text';
}

type Places = { readonly text: number; readonly pair?: number; readonly expected?: number };

/** Columns by name need a header line; columns by place do without, and skip one whose score is no number. */
function locate(columns: Columns, rows: readonly Row[], file: string): { places: Places; body: readonly Row[] } {
  const expected = columns.answers ?? columns.score ?? columns.label;
  const text = columns.question ?? columns.text!;
  const pair = columns.context ?? columns.pair;
  const named = [text, pair, expected].some(column => typeof column === 'string');
  const header = rows[0]?.cells.map(cell => cell.trim()) ?? [];
  const place = (column: Column): number => {
    const found = typeof column === 'string' ? header.indexOf(column) : column < 0 ? header.length + column : column;
    if (found >= 0) return found;
    throw fail(
      'malformed',
      'The header line names no column “{column}”. It names: {names}.',
      { column: String(column), names: header.slice(0, 12).join(', ').slice(0, 200) },
      { file },
    );
  };
  const places = {
    text: place(text),
    ...(pair !== undefined && { pair: place(pair) }),
    ...(expected !== undefined && { expected: place(expected) }),
  };
  const first = columns.score === undefined ? undefined : header[places.expected!];
  const hasHeader = named || (first !== undefined && !isNumber(first) && rows.length > 1);
  return { places, body: hasHeader ? rows.slice(1) : rows };
}

function sampleOf({ cells, line }: Row, { text, pair, expected }: Places, kind: TaskKind, file: string): Sample {
  const needed = Math.max(text, pair ?? 0, expected ?? 0) + 1;
  if (cells.length < needed)
    throw fail(
      'malformed',
      'Line {line} has {found} columns where {needed} are needed.',
      { line, found: cells.length, needed },
      { file },
    );
  const answer = expected === undefined ? undefined : cells[expected]!.trim();
  return {
    text: cells[text]!,
    ...(pair !== undefined && { pair: cells[pair]! }),
    ...(answer !== undefined && (kind === 'question-answering' ? { answers: answersOf(answer) } : { expected: answer })),
    line,
  };
}

/** One answer, or a JSON list of those that are right; nothing for a question without one. */
function answersOf(cell: string): readonly string[] {
  if (cell === '') return [];
  try {
    const list: unknown = JSON.parse(cell);
    if (Array.isArray(list) && list.every(it => typeof it === 'string')) return list;
  } catch {
    // A text that is no JSON is the answer itself.
  }
  return [cell];
}

function checkScore({ expected, line }: Sample, file: string): void {
  if (!isNumber(expected!))
    throw fail(
      'malformed',
      'Line {line}: the score “{score}” is not a number.',
      { line, score: expected!.slice(0, 40) },
      { file },
    );
}

const isNumber = (text: string): boolean => text.trim() !== '' && Number.isFinite(Number(text));
