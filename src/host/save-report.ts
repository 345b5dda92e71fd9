import { join } from 'node:path';
import * as vscode from 'vscode';
import { sentence } from '../core/errors.ts';
import { say } from './l10n.ts';
import { stemOf } from './output.ts';
import { type Kinds, saveDocument } from './save-document.ts';

const kinds = [
  { kind: 'html', name: 'HTML', endings: ['html'] },
  { kind: 'markdown', name: 'Markdown', endings: ['md', 'markdown'] },
  { kind: 'json', name: 'JSON', endings: ['json'] },
] as const satisfies Kinds<string>;

/** Asks where, and writes a comparison as the kind that the name's ending asks for. */
export async function saveReport(
  folder: string,
  names: { readonly before: string; readonly after: string },
  write: (kind: (typeof kinds)[number]['kind']) => Promise<string>,
): Promise<void> {
  const name = `${stemOf(names.before)}-${stemOf(names.after)}.html`;
  await saveDocument(join(folder, name), kinds, write, say(sentence('The report was saved.')), (uri, kind) =>
    // A browser shows the page; the others are text.
    kind === 'html' ? vscode.env.openExternal(uri) : vscode.commands.executeCommand('vscode.open', uri),
  );
}
