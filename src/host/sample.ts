import * as vscode from 'vscode';
import type { Services } from './services.ts';
import { viewTypes } from './view-types.ts';

/** Opens the model that comes with Headroom, from a copy: results are written beside it, and an update replaces the extension's folder. */
export async function openSample({ context }: Services): Promise<void> {
  const folder = vscode.Uri.joinPath(context.globalStorageUri, 'sample');
  const model = vscode.Uri.joinPath(folder, 'model.onnx');
  if (!(await isThere(model))) {
    await vscode.workspace.fs.createDirectory(context.globalStorageUri);
    await vscode.workspace.fs.copy(vscode.Uri.joinPath(context.extensionUri, 'media', 'sample'), folder, { overwrite: true });
  }
  await vscode.commands.executeCommand('vscode.openWith', model, viewTypes.model);
}

const isThere = (uri: vscode.Uri): Promise<boolean> =>
  Promise.resolve(vscode.workspace.fs.stat(uri)).then(
    () => true,
    () => false,
  );
