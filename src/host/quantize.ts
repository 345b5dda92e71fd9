import { basename } from 'node:path';
import * as vscode from 'vscode';
import { sentence } from '../core/errors.ts';
import type { Made, Recipe } from '../protocol/messages.ts';
import { DiffPanel } from './diff.ts';
import { refuseOtherSchemes } from './document.ts';
import { toFailure } from './failure.ts';
import type { Job } from './jobs.ts';
import { keepMade } from './kept.ts';
import { say } from './l10n.ts';
import { formatOf, outputFor } from './output.ts';
import { confirmOutput } from './output-choice.ts';
import type { Services } from './services.ts';
import { refuseUntrusted } from './trust.ts';

/** A scheme of the quantize pass that has a command of its own; its defaults need no text. */
export type QuickScheme = 'int8' | 'int4' | 'fp16';

/** Writes the model in fewer bits beside the original, with progress in a notification, and opens the comparison. */
export async function quantizeTo(scheme: QuickScheme, services: Services, uri: vscode.Uri): Promise<void> {
  const name = basename(uri.path);
  const recipe: Recipe = { version: 1, steps: [{ pass: 'quantize', options: { scheme } }] };
  try {
    refuseOtherSchemes(uri);
    await refuseUntrusted();
    const path = uri.fsPath;
    const format = formatOf(path);
    const chosen = await confirmOutput(outputFor(path, recipe), format);
    if (!chosen) return;
    const job = services.jobs.start({ path, recipe, ...chosen });
    const made = await withNotification(say(sentence('Quantizing {name} to {scheme}', { name, scheme })), job);
    logMade(services, path, made);
    await keepMade(services, made);
    DiffPanel.open(services, { before: path, after: made.report.out, made });
  } catch (error) {
    await services.log.tell(`quantize ${uri.fsPath}`, toFailure(error));
  }
}

/** Follows a job in a notification that can cancel it: "encoder.layer.3.attention.self.query". */
function withNotification(title: string, job: Job): Promise<Made> {
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  const follow = (progress: vscode.Progress<{ message?: string; increment?: number }>, token: vscode.CancellationToken) => {
    token.onCancellationRequested(() => job.cancel());
    let shown = 0;
    job.onProgress(({ what, fraction = 0 }) => {
      progress.report({ message: what, increment: Math.max(0, fraction * 100 - shown) });
      shown = Math.max(shown, fraction * 100);
    });
    return job.done;
  };
  return Promise.resolve(vscode.window.withProgress(options, follow));
}

export function logMade(services: Services, path: string, { report }: Made): void {
  const { out, before, after, seconds, peakBytes } = report;
  const sizes = `${before.fileBytes} -> ${after.fileBytes} bytes`;
  services.log.info(`${path} -> ${out}: ${sizes}, ${seconds.toFixed(2)} s, peak memory ${peakBytes} bytes`);
}
