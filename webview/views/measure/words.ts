import type { LayerDrift } from '../../../src/protocol/messages.ts';
import { locale, say, t } from '../../l10n.ts';
import { visibleName } from '../../layout/names.ts';
import { share } from '../../numbers.ts';

/** What it was measured on: our own sentences in the person's language, any other name as it is. */
export const taskWord = (task: string): string => visibleName(say({ text: task }), 120);

/** "2026-11-23, 22:05" as the person's language writes it. */
export function whenWord(at: string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return visibleName(at, 40);
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }).format(date);
}

/** "Layer 3" of encoder.layer.3; an organ whose name is not known stands as it is. */
export function layerWord(id: string): string {
  const layer = /^encoder\.layer\.(\d+)$/.exec(id)?.[1];
  if (layer !== undefined) return t('Layer {n}', { n: layer });
  return id === 'embeddings' ? t('Embeddings') : visibleName(id, 60);
}

/** Under the chart: "Emb", "3". */
export const layerMark = (id: string): string => /(\d+)$/.exec(id)?.[1] ?? (id === 'embeddings' ? t('Emb') : visibleName(id, 6));

export const measureWord = ({ measure }: LayerDrift): string =>
  measure === 'cka' ? t('CKA, since the widths differ') : t('cosine to the original');

/** "Spearman" of spearman: names of the field, the first letter raised. */
export const metricWord = (name: string): string => visibleName(name.charAt(0).toUpperCase() + name.slice(1), 40);

/** 99.9 % of the predictions; rounded down, so that 100 % means all. */
export const agreementText = (agreement: number): string =>
  agreement === 1 ? share(1, 0) : share(Math.floor(agreement * 1000) / 1000, 1);
