import { basename, dirname, resolve } from 'node:path';
import { fail, type Sentence, sentence } from '../errors.ts';
import { qualityMetrics } from './metrics/registry.ts';
import { readText } from './read-text.ts';
import { commaSeparated, type Row, tabSeparated } from './table.ts';
import type { Pooling, Sample, Task } from './task.ts';

/** A column by its name in the header line, or by its place from 0 in a file without one. */
type Column = string | number;

/** A task as a JSON file describes it. `file` is relative to that file. */
interface Description {
  readonly file: string;
  readonly columns: { readonly text: Column; readonly pair?: Column; readonly label?: Column; readonly score?: Column };
  readonly metrics?: readonly string[];
  readonly pooling?: Pooling;
  readonly max_length?: number;
}

/**
 * TASK of the command line: stsb:FILE.csv, sst2:FILE.tsv, text:FILE, or the path of a JSON that names file, columns and metrics.
 * throws  'usage' for any other form, 'malformed' for a file that does not hold what its form says
 */
export async function readTask(spec: string): Promise<Task> {
  const [, form, path] = /^(stsb|sst2|text):(.+)$/s.exec(spec) ?? [];
  if (form === 'text') return textTask(path!);
  if (form === 'stsb') return tableTask('stsb', path!, { file: path!, columns: { text: 0, pair: 1, score: 2 } });
  if (form === 'sst2') return tableTask('sst2', path!, { file: path!, columns: { text: 'sentence', label: 'label' } });
  if (/\.json$/i.test(spec)) return describedTask(spec);
  throw fail('usage', 'This is no task: {spec}. A task is stsb:FILE.csv, sst2:FILE.tsv, text:FILE, or a JSON file.', { spec });
}

/** Texts as they are given, for drift alone. Empty ones are left out, and counted in the notes. throws 'usage' when none is left */
export function taskOfTexts(texts: readonly string[], title = 'text'): Task {
  const samples = texts.map((text, index) => ({ text, line: index + 1 })).filter(({ text }) => text.trim() !== '');
  if (samples.length === 0) throw fail('usage', 'There is no text to run the model on.');
  const empty = texts.length - samples.length;
  const notes = empty > 0 ? [sentence('{count} empty texts were left out.', { count: empty })] : [];
  return { name: title, file: title, kind: 'text', samples, metrics: [], pooling: 'mean', notes };
}

async function textTask(path: string): Promise<Task> {
  const lines = (await readText(path)).split('\n').map((line, index) => ({ text: line.replace(/\r$/, ''), line: index + 1 }));
  const samples = lines.filter(({ text }) => text.trim() !== '');
  // The end of the last line is no empty line.
  const empty = lines.length - samples.length - (lines.at(-1)!.text === '' ? 1 : 0);
  if (samples.length === 0) throw noTexts(path);
  const notes = empty > 0 ? [sentence('{count} empty lines were left out.', { count: empty })] : [];
  return { name: 'text', file: basename(path), kind: 'text', samples, metrics: [], pooling: 'mean', notes };
}

async function describedTask(path: string): Promise<Task> {
  const file = basename(path);
  let described: Description;
  try {
    described = JSON.parse(await readText(path)) as Description;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw fail('malformed', 'This is not JSON: {cause}', { cause: cause.message }, { file, cause });
  }
  const { columns, metrics = [], pooling = 'mean', max_length: maxLength } = described ?? {};
  const wrong =
    typeof described?.file !== 'string'
      ? 'file'
      : !isColumn(columns?.text)
        ? 'columns.text'
        : !['pair', 'label', 'score'].every(key => columns[key as 'pair'] === undefined || isColumn(columns[key as 'pair']))
          ? 'columns'
          : pooling !== 'mean' && pooling !== 'cls'
            ? 'pooling'
            : maxLength !== undefined && !(Number.isInteger(maxLength) && maxLength > 0)
              ? 'max_length'
              : !Array.isArray(metrics) || !metrics.every(id => qualityMetrics.some(metric => metric.id === id))
                ? 'metrics'
                : undefined;
  if (wrong)
    throw fail(
      'malformed',
      'This task’s “{field}” is missing or not understood. Wanted: file, columns (text, pair, label or score), metrics ({metrics}), pooling (mean, cls), max_length.',
      { field: wrong, metrics: qualityMetrics.map(metric => metric.id).join(', ') },
      { file },
    );
  return tableTask(file.replace(/\.json$/i, ''), resolve(dirname(path), described.file), described);
}

const isColumn = (value: unknown): value is Column =>
  typeof value === 'string' || (Number.isInteger(value) && (value as number) >= 0);

async function tableTask(name: string, path: string, described: Description): Promise<Task> {
  const { columns, pooling = 'mean', max_length: maxLength } = described;
  const file = basename(path);
  const text = await readText(path);
  const rows = /\.csv$/i.test(path) ? commaSeparated(text) : tabSeparated(text);
  const kind = columns.score !== undefined ? 'similarity' : columns.label !== undefined ? 'classification' : 'text';
  const { places, body } = locate(columns, rows, file);
  const samples: Sample[] = [];
  let empty = 0;
  for (const row of body) {
    const sample = sampleOf(row, places, file);
    if (sample.text.trim() === '') empty++;
    else samples.push(sample);
  }
  if (samples.length === 0) throw noTexts(path);
  if (kind === 'similarity') samples.forEach(sample => void checkScore(sample, file));
  const fitting = qualityMetrics.filter(metric => metric.kind === kind);
  const asked = described.metrics?.length
    ? fitting.filter(it => described.metrics!.includes(it.id))
    : fitting.filter(it => it.usual);
  const notes: Sentence[] = empty > 0 ? [sentence('{count} rows without a text were left out.', { count: empty })] : [];
  return { name, file, kind, samples, metrics: asked.map(it => it.id), pooling, ...(maxLength && { maxLength }), notes };
}

type Places = { readonly text: number; readonly pair?: number; readonly expected?: number };

/** Columns by name need a header line; columns by place do without, and skip one whose score is no number. */
function locate(columns: Description['columns'], rows: readonly Row[], file: string): { places: Places; body: readonly Row[] } {
  const expected = columns.score ?? columns.label;
  const named = [columns.text, columns.pair, expected].some(column => typeof column === 'string');
  const header = rows[0]?.cells.map(cell => cell.trim()) ?? [];
  const place = (column: Column): number => {
    const found = typeof column === 'number' ? column : header.indexOf(column);
    if (found >= 0) return found;
    throw fail(
      'malformed',
      'The header line names no column “{column}”. It names: {names}.',
      { column: String(column), names: header.slice(0, 12).join(', ').slice(0, 200) },
      { file },
    );
  };
  const places = {
    text: place(columns.text),
    ...(columns.pair !== undefined && { pair: place(columns.pair) }),
    ...(expected !== undefined && { expected: place(expected) }),
  };
  const first = columns.score === undefined ? undefined : header[places.expected!];
  const hasHeader = named || (first !== undefined && !isNumber(first) && rows.length > 1);
  return { places, body: hasHeader ? rows.slice(1) : rows };
}

function sampleOf({ cells, line }: Row, { text, pair, expected }: Places, file: string): Sample {
  const needed = Math.max(text, pair ?? 0, expected ?? 0) + 1;
  if (cells.length < needed)
    throw fail(
      'malformed',
      'Line {line} has {found} columns where {needed} are needed.',
      { line, found: cells.length, needed },
      { file },
    );
  return {
    text: cells[text]!,
    ...(pair !== undefined && { pair: cells[pair]! }),
    ...(expected !== undefined && { expected: cells[expected]!.trim() }),
    line,
  };
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

const noTexts = (path: string) => fail('malformed', 'There is no text in this file.', {}, { file: basename(path) });
