import type { Saving } from '../../../src/protocol/messages.ts';
import { say, t } from '../../l10n.ts';
import { visibleName } from '../../layout/names.ts';
import { placeOf } from '../../layout/spectrum-plot.ts';

interface Role {
  readonly title: string;
  /** Where there is room for little: letters are the same in all languages. */
  readonly short: string;
  readonly organ: 'attention' | 'forward' | 'other';
}

/** What a matrix of a layer is called. */
export function roleOf(role: string): Role {
  switch (role) {
    case 'attention.self.query':
      return { title: t('Query'), short: 'Q', organ: 'attention' };
    case 'attention.self.key':
      return { title: t('Key'), short: 'K', organ: 'attention' };
    case 'attention.self.value':
      return { title: t('Value'), short: 'V', organ: 'attention' };
    case 'attention.output.dense':
      return { title: t('Output'), short: 'O', organ: 'attention' };
    case 'intermediate.dense':
      return { title: t('Up'), short: t('Up'), organ: 'forward' };
    case 'output.dense':
      return { title: t('Down'), short: t('Down'), organ: 'forward' };
    default: {
      const name = visibleName(role, 40);
      return { title: name, short: name, organ: role.startsWith('attention') ? 'attention' : 'other' };
    }
  }
}

/** "Layer 3, Query"; the id of what is in no layer. */
export function matrixTitle(id: string): string {
  const place = placeOf(id);
  return place ? t('Layer {layer}, {role}', { layer: String(place.layer), role: roleOf(place.role).title }) : visibleName(id, 80);
}

/** "int8, embedding_bits 32": options as a recipe has them; they are never translated. */
export const optionsText = (options: Readonly<Record<string, unknown>>): string =>
  Object.entries(options)
    .map(([name, value]) => (name === 'scheme' ? String(value) : `${name} ${JSON.stringify(value)}`))
    .join(', ');

export const savingTitle = ({ title, options }: Saving): string => [say(title), optionsText(options)].filter(Boolean).join(' ');
