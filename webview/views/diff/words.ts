import type { Change, Comparison, ComparisonNode } from '../../../src/core/report/comparison.ts';
import type { Made } from '../../../src/protocol/messages.ts';
import { optionText } from '../../../src/protocol/option-text.ts';
import { say, t } from '../../l10n.ts';
import { visibleName } from '../../layout/names.ts';

export const marks: Readonly<Record<Change, string>> = { same: '', changed: '~', added: '+', removed: '\u2212', replaced: '⇄' };

export function changeWord(change: Change): string {
  const words: Record<Change, string> = {
    same: t('same'),
    changed: t('changed'),
    added: t('added'),
    removed: t('removed'),
    replaced: t('replaced'),
  };
  return words[change];
}

/** "39 changed", as a chip says it. */
export function countWord(change: Change, n: number): string {
  const words: Record<Change, string> = {
    same: t('{n} same', { n }),
    changed: t('{n} changed', { n }),
    added: t('{n} added', { n }),
    removed: t('{n} removed', { n }),
    replaced: t('{n} replaced', { n }),
  };
  return words[change];
}

/** A row's name as it is shown: translated where it is ours, made visible where it is the file's. */
export const titleOf = (node: ComparisonNode): string =>
  node.titleSentence ? say(node.titleSentence) : visibleName(node.title, 200);

/** The two models' names; where they are the same, the second one with its folder, when it is known where it was written. */
export function namesOf(names: Comparison['names'], made: Made | null): Comparison['names'] {
  const { before, after } = names;
  return { before, after: before === after && made ? made.report.out.split(/[\\/]/).slice(-2).join('/') : after };
}

/** "prune-heads" as a step's name, for a recipe whose passes are not at hand; translated where the title is known. */
export const passWord = (id: string): string => say({ text: id.charAt(0).toUpperCase() + id.slice(1).replaceAll('-', ' ') });

/** The options of a step as a line: values of words alone, others with their names. */
export function optionsWord(options: Readonly<Record<string, unknown>>): string {
  return Object.entries(options)
    .filter(([, value]) => value !== undefined && value !== null && optionText(value) !== '')
    .map(([name, value]) => (typeof value === 'string' ? value : `${name} ${optionText(value)}`))
    .join(', ');
}
