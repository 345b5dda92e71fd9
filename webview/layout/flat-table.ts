import { escaped, plain } from './copied.ts';
import type { Sorting } from './sorting.ts';

// Tables without a tree: their order, and their rows as text to take along.

export interface TextColumn<Row> {
  readonly key: string;
  readonly title: string;
  /** Right-aligned; sorts from the largest first. */
  readonly numeric?: boolean;
  /** What the column is sorted by; undefined comes last, whichever way. */
  readonly value: (row: Row) => number | string | undefined;
  /** As it is copied: numbers in full. Absent: the column is for the screen only. */
  readonly text?: (row: Row) => string;
}

/** A new array in the order asked for; rows that are equal keep theirs. */
export function sorted<Row>(rows: readonly Row[], columns: readonly TextColumn<Row>[], sorting: Sorting | null): readonly Row[] {
  const column = columns.find(({ key }) => key === sorting?.key);
  if (!column || !sorting) return rows;
  const sign = sorting.descending ? -1 : 1;
  return rows
    .map((row, at) => ({ row, at, value: column.value(row) }))
    .sort((a, b) => {
      if (a.value === undefined || b.value === undefined)
        return Number(a.value === undefined) - Number(b.value === undefined) || a.at - b.at;
      const order =
        typeof a.value === 'number' && typeof b.value === 'number'
          ? a.value - b.value
          : String(a.value).localeCompare(String(b.value), undefined, { numeric: true });
      return sign * order || a.at - b.at;
    })
    .map(({ row }) => row);
}

const copied = <Row>(columns: readonly TextColumn<Row>[]) =>
  columns.flatMap(({ title, numeric, text }) => (text ? [{ title, numeric, text }] : []));

export const lineOf = <Row>(columns: readonly TextColumn<Row>[], row: Row): string =>
  copied(columns)
    .map(({ text }) => plain(text(row)))
    .join('\t');

/** Tab-separated, with a line of heads: for spreadsheets. */
export const tsvOf = <Row>(columns: readonly TextColumn<Row>[], rows: readonly Row[]): string =>
  [
    copied(columns)
      .map(({ title }) => title)
      .join('\t'),
    ...rows.map(row => lineOf(columns, row)),
    '',
  ].join('\n');

export const markdownOf = <Row>(columns: readonly TextColumn<Row>[], rows: readonly Row[]): string => {
  const shown = copied(columns);
  return [
    `| ${shown.map(({ title }) => title).join(' | ')} |`,
    `| ${shown.map(({ numeric }) => (numeric ? '---:' : '---')).join(' | ')} |`,
    ...rows.map(row => `| ${shown.map(({ text }) => escaped(text(row))).join(' | ')} |`),
    '',
  ].join('\n');
};
