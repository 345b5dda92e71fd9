import type { Entry } from './model-index.ts';

// Rows as text to take along: tab-separated for spreadsheets, Markdown for notes. Names are untrusted: they stay one cell of one line.

export interface CopiedRow {
  readonly title: string;
  readonly parameters: number;
  readonly byteLength: number;
  /** Of all parameters, 0 to 1. */
  readonly share: number;
  readonly shape: string;
  readonly dtype: string;
}

export function copiedRow({ node }: Entry, title: string, parameters: number): CopiedRow {
  return {
    title,
    parameters: node.parameters,
    byteLength: node.byteLength,
    share: parameters ? node.parameters / parameters : 0,
    shape: node.shape?.join('x') ?? '',
    dtype: node.dtype ?? '',
  };
}

/** Without heads: a line of it can be pasted below another. */
export const tsvLine = (row: CopiedRow): string => cells(row).map(plain).join('\t');

export const tsv = (heads: readonly string[], rows: readonly CopiedRow[]): string =>
  [heads.join('\t'), ...rows.map(tsvLine), ''].join('\n');

export const markdown = (heads: readonly string[], rows: readonly CopiedRow[]): string =>
  [
    `| ${heads.join(' | ')} |`,
    '| --- | ---: | ---: | ---: | --- | --- |',
    ...rows.map(row => `| ${cells(row).map(escaped).join(' | ')} |`),
    '',
  ].join('\n');

const cells = ({ title, parameters, byteLength, share, shape, dtype }: CopiedRow): string[] => [
  title,
  String(parameters),
  String(byteLength),
  `${(share * 100).toFixed(2)}%`,
  shape,
  dtype,
];

/** A cell that a spreadsheet does not take for a formula. */
export const plain = (text: string): string => (/^[=+\-@]/.test(text) ? `'${text}` : text).replace(/[\t\r\n]/g, ' ');

/** A cell of a Markdown table that holds no markup. */
export const escaped = (text: string): string => text.replace(/[\t\r\n]/g, ' ').replace(/[\\`*_{}[\]<>|#~&]/g, '\\$&');
