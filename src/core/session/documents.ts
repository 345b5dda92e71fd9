import type { Evaluation } from '../evaluation/report.ts';
import type { Comparison } from '../report/comparison.ts';
import { html } from '../report/documents/html.ts';
import { markdown } from '../report/documents/markdown.ts';
import { summaryCsv } from '../report/documents/summary-csv.ts';
import { summaryMarkdown } from '../report/documents/summary-markdown.ts';
import type { Made, Session } from './types.ts';

// What people take along.

export const document: Session['document'] = async (comparison, made, kind, measured) => {
  if (kind === 'json') return `${JSON.stringify(whole(comparison, made, measured), null, 2)}\n`;
  return kind === 'markdown' ? markdown(comparison, made, measured) : html(comparison, made, measured);
};

export const summaryDocument: Session['summaryDocument'] = async (summary, kind) => {
  if (kind === 'json') return `${JSON.stringify(summary, null, 2)}\n`;
  return kind === 'markdown' ? summaryMarkdown(summary) : summaryCsv(summary);
};

/** As `compare --json` writes it; how it was made and the whole evaluation stand beside the fields that are fixed. */
const whole = (comparison: Comparison, made: Made | null, measured: Evaluation | null | undefined): object => ({
  ...comparison,
  ...(measured && { outputs: measured.drift, task: measured.task, evaluation: measured }),
  ...(made && { made }),
});
