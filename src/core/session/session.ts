import type { Evaluation } from '../evaluation/report.ts';
import { passes } from '../passes/registry.ts';
import type { Comparison } from '../report/comparison.ts';
import { html } from '../report/documents/html.ts';
import { markdown } from '../report/documents/markdown.ts';
import { summaryCsv } from '../report/documents/summary-csv.ts';
import { summaryMarkdown } from '../report/documents/summary-markdown.ts';
import { addStatistics } from '../report/statistics.ts';
import { summarize } from '../report/summary.ts';
import { attention } from './attention.ts';
import { compare } from './compare.ts';
import { compress } from './compress.ts';
import { evaluate } from './evaluate.ts';
import { exportModel } from './export.ts';
import { insides } from './insides.ts';
import { openPath } from './open.ts';
import { keepRecord, record } from './record.ts';
import { redundancy } from './redundancy.ts';
import { savings } from './savings.ts';
import type { PassInfo, Session } from './types.ts';

/** The facade over core. Holds nothing between calls. */
export function createSession(): Session {
  return {
    async inspect(path, { signal, progress, stats } = {}) {
      const opened = await openPath(path, signal);
      try {
        const summary = summarize(opened.model, opened.anatomy);
        if (!stats) return summary;
        return await addStatistics(summary, opened.model, opened.anatomy, {
          ...(signal && { signal }),
          progress: (done, total, what) =>
            progress?.({ fraction: total === 0 ? 0 : done / total, what, bytesDone: done, bytesTotal: total }),
        });
      } finally {
        await opened.close();
      }
    },
    passes: async () => passInfos,
    compress,
    export: exportModel,
    compare,
    evaluate,
    attention,
    record,
    keepRecord,
    redundancy,
    savings,
    ...insides,
    async document(comparison, made, kind, measured) {
      if (kind === 'json') return `${JSON.stringify(withMeasured(comparison, measured), null, 2)}\n`;
      return kind === 'markdown' ? markdown(comparison, made, measured) : html(comparison, made, measured);
    },
    async summaryDocument(summary, kind) {
      if (kind === 'json') return `${JSON.stringify(summary, null, 2)}\n`;
      return kind === 'markdown' ? summaryMarkdown(summary) : summaryCsv(summary);
    },
  };
}

/** As `compare --json` writes it; the whole evaluation stands beside the fields that are fixed. */
const withMeasured = (comparison: Comparison, measured: Evaluation | null | undefined): object =>
  measured ? { ...comparison, outputs: measured.drift, task: measured.task, evaluation: measured } : comparison;

export const passInfos: readonly PassInfo[] = passes.map(({ id, title, summary, source, needs, fields }) => ({
  id,
  title,
  summary,
  source,
  needs,
  fields,
}));
