import type { DryRun } from '../../../src/protocol/messages.ts';
import { say, t } from '../../l10n.ts';

/** Why Run is not to be pressed, or undefined. An existing output is no obstacle: the host asks about it. */
export function obstacle(steps: number, invalid: number, out: string, answer: DryRun | null): string | undefined {
  if (steps === 0) return t('Add a step first.');
  if (invalid > 0) return t('An option is not a number it can be.');
  if (out.trim() === '') return t('Choose where to write.');
  if (answer?.report && answer.report.edits.length === 0) return t('These steps change nothing in this model.');
  if (answer?.failure && answer.failure.code !== 'output-exists') return say(answer.failure.sentence);
  return undefined;
}
