import * as vscode from 'vscode';
import { fail, sentence } from '../core/errors.ts';
import { say } from './l10n.ts';

/** Viewing is safe anywhere; writing into a folder waits until the person trusts it. throws 'unsupported' */
export async function refuseUntrusted(): Promise<void> {
  if (vscode.workspace.isTrusted) return;
  const manage = say(sentence('Manage trust'));
  const question = say(sentence('Models can be viewed here, but nothing is written in a folder that is not trusted.'));
  if ((await vscode.window.showWarningMessage(question, manage)) === manage)
    await vscode.commands.executeCommand('workbench.trust.manage');
  if (!vscode.workspace.isTrusted) throw fail('cancelled', 'Cancelled. Nothing was written.');
}
