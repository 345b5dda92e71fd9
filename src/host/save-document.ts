import * as vscode from 'vscode';
import { sentence } from '../core/errors.ts';
import { say } from './l10n.ts';

/** A kind of document, as the save dialog lists it: its name and the endings of its files. The first one listed is the default. */
export type Kinds<Kind extends string> = readonly {
  readonly kind: Kind;
  readonly name: string;
  readonly endings: readonly string[];
}[];

/**
 * Asks where, writes the document of the kind that the name's ending asks for, and offers to open it.
 * suggested  an absolute path;  saved  said when it is written;  open  shows what was written
 */
export async function saveDocument<Kind extends string>(
  suggested: string,
  kinds: Kinds<Kind>,
  write: (kind: Kind) => Promise<string>,
  saved: string,
  open: (uri: vscode.Uri, kind: Kind) => unknown = uri => vscode.commands.executeCommand('vscode.open', uri),
): Promise<void> {
  const uri = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.file(suggested),
    filters: Object.fromEntries(kinds.map(({ name, endings }) => [name, [...endings]])),
  });
  if (!uri) return;
  const ending = /\.([^./\\]+)$/.exec(uri.path)?.[1]?.toLowerCase() ?? '';
  const { kind } = kinds.find(({ endings }) => endings.includes(ending)) ?? kinds[0]!;
  await vscode.workspace.fs.writeFile(uri, new TextEncoder().encode(await write(kind)));
  const offer = say(sentence('Open'));
  void vscode.window.showInformationMessage(saved, offer).then(answer => answer === offer && open(uri, kind));
}
