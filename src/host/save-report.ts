import { join } from 'node:path';
import * as vscode from 'vscode';
import { sentence } from '../core/errors.ts';
import { say } from './l10n.ts';
import { stemOf } from './output.ts';

type Kind = 'markdown' | 'html' | 'json';

/** Asks where, writes the document that the name's ending asks for, and offers to open it. */
export async function saveReport(
  folder: string,
  names: { readonly before: string; readonly after: string },
  write: (kind: Kind) => Promise<string>,
): Promise<void> {
  const name = `${stemOf(names.before)}-${stemOf(names.after)}`;
  const uri = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.file(join(folder, `${name}.html`)),
    filters: { HTML: ['html'], Markdown: ['md'], JSON: ['json'] },
  });
  if (!uri) return;
  await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(await write(kindOf(uri.path))));
  const open = say(sentence('Open'));
  const saved = say(sentence('The report was saved.'));
  void vscode.window.showInformationMessage(saved, open).then(answer => {
    // A browser shows the page; the others are text.
    if (answer === open && kindOf(uri.path) === 'html') void vscode.env.openExternal(uri);
    else if (answer === open) void vscode.commands.executeCommand('vscode.open', uri);
  });
}

function kindOf(path: string): Kind {
  if (/\.(md|markdown)$/i.test(path)) return 'markdown';
  return /\.json$/i.test(path) ? 'json' : 'html';
}
