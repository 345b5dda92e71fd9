import * as vscode from 'vscode';
import { fail, type Sentence, sentence } from '../core/errors.ts';
import { say } from './l10n.ts';

const written = sentence('Models can be viewed here, but nothing is written in a folder that is not trusted.');

/** Viewing is safe anywhere; writing into a folder, and running what lies in it, waits until the person trusts it. throws 'cancelled' */
export async function refuseUntrusted(why: Sentence = written): Promise<void> {
  if (vscode.workspace.isTrusted) return;
  const manage = say(sentence('Manage trust'));
  if ((await vscode.window.showWarningMessage(say(why), manage)) === manage)
    await vscode.commands.executeCommand('workbench.trust.manage');
  if (!vscode.workspace.isTrusted) throw fail('cancelled', 'Cancelled. Nothing was written.');
}
