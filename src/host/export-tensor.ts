import { basename, dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { sentence } from '../core/errors.ts';
import type { ProgressEvent } from '../protocol/messages.ts';
import { say } from './l10n.ts';
import { stemOf } from './output.ts';
import type { Services } from './services.ts';
import { refuseUntrusted } from './trust.ts';

/** Longer names are cut: a file name may take 255 bytes. */
const longestName = 120;

interface Following {
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((event: ProgressEvent) => void) | undefined;
}

/** Asks where, writes one tensor as .npy or .csv, and offers to show the file. null: the person changed their mind. */
export async function exportTensor(
  { engine, log }: Services,
  model: vscode.Uri,
  tensor: string,
  kind: 'npy' | 'csv',
  { signal, progress }: Following,
): Promise<{ readonly out: string; readonly byteLength: number } | null> {
  await refuseUntrusted();
  const path = model.fsPath;
  const name = `${stemOf(path)}.${tensor.replace(/[^\w.-]+/g, '_').slice(0, longestName)}.${kind}`;
  const uri = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.file(join(dirname(path), name)),
    filters: { [kind === 'npy' ? 'NumPy' : 'CSV']: [kind] },
  });
  if (!uri) return null;
  // The dialog has asked before a file is replaced.
  const made = await engine.api.exportTensor(path, tensor, kind, uri.fsPath, { signal, progress, force: true });
  log.info(`${path}: ${tensor} -> ${made.out}, ${made.byteLength} bytes`);
  void offerToReveal(made.out);
  return made;
}

async function offerToReveal(out: string): Promise<void> {
  const reveal = say(sentence('Reveal'));
  const done = say(sentence('{file} is written.', { file: basename(out) }));
  if ((await vscode.window.showInformationMessage(done, reveal)) !== reveal) return;
  const uri = vscode.Uri.file(out);
  // A browser's VS Code has no file manager to show what lies outside its folder.
  const inWorkspace = vscode.workspace.getWorkspaceFolder(uri) !== undefined;
  await vscode.commands.executeCommand(inWorkspace ? 'revealInExplorer' : 'revealFileInOS', uri);
}
