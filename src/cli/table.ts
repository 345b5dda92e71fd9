import { printable } from './progress.ts';

/** Columns of text: `right` ones are aligned to the right. */
export function table(rows: readonly (readonly string[])[], right: readonly number[]): string {
  const widths = rows.reduce<number[]>((all, row) => row.map((cell, i) => Math.max(all[i] ?? 0, printable(cell).length)), []);
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (right.includes(i) ? printable(cell).padStart(widths[i]!) : printable(cell).padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return rows.map(line).join('\n');
}

export const count = (value: number): string => value.toLocaleString('en');

/** 7.1 MB, 590 KB, 1.5 KB, 768 B: powers of 1,000. */
export function bytes(value: number): string {
  const sign = value < 0 ? '-' : '';
  const size = Math.abs(value);
  if (size < 1000) return `${sign}${size} B`;
  if (size < 999_500) return `${sign}${size < 9950 ? (size / 1000).toFixed(1) : Math.round(size / 1000)} KB`;
  if (size < 999_950_000) return `${sign}${(size / 1e6).toFixed(1)} MB`;
  return `${sign}${(size / 1e9).toFixed(2)} GB`;
}

export const percent = (part: number, whole: number): string => (whole === 0 ? '-' : `${((100 * part) / whole).toFixed(2)} %`);
