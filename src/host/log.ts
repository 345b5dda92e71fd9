import * as vscode from 'vscode';
import { sentence } from '../core/errors.ts';
import type { Failure } from '../protocol/messages.ts';
import { say } from './l10n.ts';

/** The output channel "Headroom", and how a failure is told: one line for the person, everything else in the log. */
export class Log {
  readonly #channel = vscode.window.createOutputChannel('Headroom', { log: true });

  info(line: string): void {
    this.#channel.info(line);
  }

  show(): void {
    this.#channel.show(true);
  }

  failed(doing: string, failure: Failure): void {
    this.#channel.error(`${doing}: ${failure.message} [${failure.code}]`);
  }

  /** Says a failure in a notification. A cancel was asked for: it is said, but is no error. */
  async tell(doing: string, failure: Failure): Promise<void> {
    if (failure.code === 'cancelled') {
      this.info(`${doing}: cancelled`);
      await vscode.window.showInformationMessage(say(failure.sentence));
      return;
    }
    this.failed(doing, failure);
    const showLog = say(sentence('Show log'));
    if ((await vscode.window.showErrorMessage(oneLine(failure), showLog)) === showLog) this.show();
  }

  dispose(): void {
    this.#channel.dispose();
  }
}

/** "model.onnx: This file is cut short. … Download it again." A file that the sentence names already is not named twice. */
function oneLine({ file, sentence: what, hint }: Failure): string {
  const text = say(what);
  const where = file && !text.includes(file) ? `${file}: ` : '';
  return `${where}${text}${hint ? ` ${say(hint)}` : ''}`;
}
