import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import * as vscode from 'vscode';
import { sentence } from '../core/errors.ts';
import { say } from './l10n.ts';

/** Where the workspace remembers the text that methods run a model on. */
const key = 'calibration';

/** The path that was last used in this workspace, if the file is still there; '' otherwise. */
export async function keptCalibration({ workspaceState }: vscode.ExtensionContext): Promise<string> {
  const path = workspaceState.get<string>(key, '');
  return path !== '' && (await isFile(path)) ? path : '';
}

export const keepCalibration = async ({ workspaceState }: vscode.ExtensionContext, path: string): Promise<void> =>
  workspaceState.update(key, path);

/** Asks for the text, and remembers it. Undefined when the person did not say. */
export async function chooseCalibration(
  context: vscode.ExtensionContext,
  model: string,
  current: string,
): Promise<string | undefined> {
  const text = say(sentence('Text'));
  const all = say(sentence('All files'));
  const filters = { [text]: ['txt', 'md', 'csv', 'tsv'], [all]: ['*'] };
  const path = await ask(model, current, say(sentence('Calibration text')), filters);
  if (path !== undefined) await keepCalibration(context, path);
  return path;
}

/** Asks for a file that an option names. */
export const chooseFile = (model: string, current: string): Promise<string | undefined> =>
  ask(model, current, say(sentence('Choose a file')), {});

/** Begins at the file that stands there now, else at the model. */
async function ask(
  model: string,
  current: string,
  title: string,
  filters: Record<string, string[]>,
): Promise<string | undefined> {
  const there = current.trim() === '' ? undefined : resolve(dirname(model), current.trim());
  const start = there !== undefined && (await isFile(there)) ? there : dirname(model);
  const uris = await vscode.window.showOpenDialog({ title, filters, defaultUri: vscode.Uri.file(start) });
  return uris?.[0]?.fsPath;
}

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    found => found.isFile(),
    () => false,
  );
