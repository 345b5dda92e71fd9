import { basename, dirname, join } from 'node:path';
import type * as vscode from 'vscode';
import { sentence } from '../core/errors.ts';
import { refuseOtherSchemes } from './document.ts';
import { toFailure } from './failure.ts';
import { say } from './l10n.ts';
import { stemOf } from './output.ts';
import { type Kinds, saveDocument } from './save-document.ts';
import type { Services } from './services.ts';

const kinds = [
  { kind: 'csv', name: 'CSV', endings: ['csv'] },
  { kind: 'markdown', name: 'Markdown', endings: ['md', 'markdown'] },
  { kind: 'json', name: 'JSON', endings: ['json'] },
] as const satisfies Kinds<string>;

/** Saves the tree of a model's parts and tensors, as `headroom inspect` with --csv, --markdown or --json prints it. */
export async function exportTable({ engine, documents, log }: Services, uri: vscode.Uri): Promise<void> {
  try {
    refuseOtherSchemes(uri);
    const path = uri.fsPath;
    const summary = documents.find(uri)?.summary ?? (await engine.api.inspect(path));
    const saved = say(sentence('The table of {name} was saved.', { name: basename(path) }));
    const suggested = join(dirname(path), `${stemOf(path)}.csv`);
    await saveDocument(suggested, kinds, kind => engine.api.summaryDocument(summary, kind), saved);
  } catch (error) {
    await log.tell(`export the table of ${uri.fsPath}`, toFailure(error));
  }
}
