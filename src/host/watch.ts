import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import * as vscode from 'vscode';

/** Writers touch a file many times in a row; this long after the last touch it is looked at. */
const quietMs = 300;

export interface FileState {
  readonly byteLength: number;
  readonly mtimeMs: number;
}

/** Undefined: there is no such file now. */
export const stateOf = (path: string): Promise<FileState | undefined> =>
  stat(path).then(
    found => ({ byteLength: found.size, mtimeMs: found.mtimeMs }),
    () => undefined,
  );

export const sameState = (a: FileState | undefined, b: FileState | undefined): boolean =>
  a?.byteLength === b?.byteLength && a?.mtimeMs === b?.mtimeMs;

/** Calls back with the state of a file after anything happened to it. */
export function watchFile(uri: vscode.Uri, changed: (state: FileState | undefined) => void): vscode.Disposable {
  const folder = vscode.Uri.joinPath(uri, '..');
  // A name is not a glob: brackets and braces in it would be read as one.
  const name = basename(uri.fsPath).replace(/[[\]{}*?]/g, '[$&]');
  const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(folder, name));
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    clearTimeout(timer);
    timer = setTimeout(async () => changed(await stateOf(uri.fsPath)), quietMs);
  };
  watcher.onDidChange(look);
  watcher.onDidCreate(look);
  watcher.onDidDelete(look);
  return new vscode.Disposable(() => {
    clearTimeout(timer);
    watcher.dispose();
  });
}
