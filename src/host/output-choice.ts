import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { sentence } from '../core/errors.ts';
import { say } from './l10n.ts';
import { freeOutput, type ModelFormat, writtenFile } from './output.ts';

export interface ChosenOutput {
  readonly out: string;
  /** The person said that what is there may be replaced. */
  readonly force: boolean;
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Asks what to do when the output is there already. Undefined: the person changed their mind. */
export async function confirmOutput(out: string, format: ModelFormat): Promise<ChosenOutput | undefined> {
  const file = writtenFile(out, format);
  if (!(await exists(file))) return { out, force: false };
  const replace = say(sentence('Replace'));
  const another = say(sentence('Choose another name'));
  const shown = /[/\\]$/.test(out) ? `${basename(out)}/${basename(file)}` : basename(file);
  const question = say(sentence('{file} exists. Choose another name, or replace it.', { file: shown }));
  const answer = await vscode.window.showWarningMessage(question, { modal: true }, replace, another);
  if (answer === replace) return { out, force: true };
  if (answer !== another) return undefined;
  const chosen = await askOutput(await freeOutput(out, format, exists), format);
  return chosen === undefined ? undefined : confirmOutput(chosen, format);
}

/** The save dialog. It asks itself before a file is replaced, and so do we, since a folder's file is not one it knows. */
export async function askOutput(suggested: string, format: ModelFormat): Promise<string | undefined> {
  const isFolder = /[/\\]$/.test(suggested);
  const uri = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.file(suggested),
    saveLabel: say(sentence('Write here')),
    ...(!isFolder && { filters: { [format === 'onnx' ? 'ONNX' : 'safetensors']: [format] } }),
  });
  if (!uri) return undefined;
  return isFolder && !/\.(onnx|safetensors)$/i.test(uri.fsPath) ? `${uri.fsPath}/` : uri.fsPath;
}
