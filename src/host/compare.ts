import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { sentence } from '../core/errors.ts';
import { DiffPanel } from './diff.ts';
import { refuseOtherSchemes } from './document.ts';
import { toFailure } from './failure.ts';
import { say } from './l10n.ts';
import type { Services } from './services.ts';
import { knownModels } from './targets.ts';

/** Two selected models are compared at once, the larger as the one before; for one the other is asked for. */
export async function compareModels(services: Services, uris: readonly vscode.Uri[]): Promise<void> {
  const [first, second] = uris.length === 2 ? await largerFirst(uris) : [uris[0], undefined];
  if (!first) return;
  try {
    refuseOtherSchemes(first);
    const other = second ?? (await askModel(say(sentence('Compare {name} with', { name: basename(first.path) })), first));
    if (!other) return;
    refuseOtherSchemes(other);
    DiffPanel.open(services, { before: first.fsPath, after: other.fsPath, made: null });
  } catch (error) {
    await services.log.tell(`compare ${first.fsPath}`, toFailure(error));
  }
}

/** The Explorer does not say which was clicked first. */
async function largerFirst(uris: readonly vscode.Uri[]): Promise<vscode.Uri[]> {
  const size = (uri: vscode.Uri) =>
    stat(uri.fsPath).then(
      found => found.size,
      () => 0,
    );
  const sized = await Promise.all(uris.map(async uri => ({ uri, byteLength: await size(uri) })));
  return sized.sort((a, b) => b.byteLength - a.byteLength).map(({ uri }) => uri);
}

/** A model of the open tabs or the workspace, or any other by the file dialog. */
export async function askModel(title: string, except?: vscode.Uri): Promise<vscode.Uri | undefined> {
  const models = (await knownModels()).filter(uri => uri.toString() !== except?.toString());
  const browse = { label: `$(folder-opened) ${say(sentence('Browse…'))}`, uri: undefined };
  const items = models.map(uri => ({
    label: basename(uri.path),
    description: vscode.workspace.asRelativePath(vscode.Uri.joinPath(uri, '..')),
    uri,
  }));
  if (items.length === 0) return browseModel(title);
  const separator = { label: '', kind: vscode.QuickPickItemKind.Separator, uri: undefined };
  const picked = await vscode.window.showQuickPick([...items, separator, browse], { title, matchOnDescription: true });
  if (!picked) return undefined;
  return picked.uri ?? browseModel(title);
}

async function browseModel(title: string): Promise<vscode.Uri | undefined> {
  const models = say(sentence('Models'));
  const all = say(sentence('All files'));
  const uris = await vscode.window.showOpenDialog({ title, filters: { [models]: ['onnx', 'safetensors'], [all]: ['*'] } });
  return uris?.[0];
}
