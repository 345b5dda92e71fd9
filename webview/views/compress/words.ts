import { optionText } from '../../../src/protocol/option-text.ts';
import { t } from '../../l10n.ts';
import { visibleName } from '../../layout/names.ts';
import type { FieldValue } from './draft.ts';

/** Values of choices are ids: they are shown as they are written in a recipe. */
export const choiceWord = (value: string): string => value;

/** A value as a line of text can hold it. */
export function valueWord(value: FieldValue): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'boolean') return value ? t('on') : t('off');
  return optionText(value) || t('none');
}

/** The heading over passes whose ids begin with the same word; the word itself where it is not known here. */
export function groupWord(group: string): string {
  const words: Record<string, string> = {
    quantize: t('Quantize'),
    prune: t('Prune'),
    factorize: t('Factorize'),
    share: t('Share weights'),
  };
  return words[group] ?? group.charAt(0).toUpperCase() + group.slice(1);
}

/** Where a tensor or an organ is, for a person: "Layer 3 · attention.self.query". */
export function placeWord(id: string): string {
  const name = visibleName(id);
  const match = /(?:^|\.)layers?\.(\d+)\.(.+)$/.exec(name);
  return match ? `${t('Layer {n}', { n: match[1]! })} · ${match[2]}` : name;
}
