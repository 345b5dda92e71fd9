import type { SensitivityRow } from '../../../src/protocol/messages.ts';
import { t } from '../../l10n.ts';
import { visibleName } from '../../layout/names.ts';
import { bytesText, real, share } from '../../numbers.ts';
import { matrixTitle, roleOf } from '../redundancy/words.ts';

/** "Layer 3, Query", "Layer 3", "Query of all layers", "Embeddings, Word"; the id of what has no other name. */
export function partTitle({ id, layer, organ }: SensitivityRow): string {
  if (layer !== undefined) return organ === 'layer' ? t('Layer {n}', { n: String(layer) }) : matrixTitle(id);
  if (id.includes('*')) return t('{role} of all layers', { role: roleOf(organ).title });
  if (organ !== 'embeddings') return visibleName(id, 80);
  const table = { word_embeddings: t('Word'), position_embeddings: t('Position'), token_type_embeddings: t('Token type') }[
    id.replace('embeddings.', '')
  ];
  if (table) return `${t('Embeddings')}, ${table}`;
  return id === 'embeddings' ? t('Embeddings') : visibleName(id, 80);
}

/** 0.00413: two digits that matter, three from 0.1 on. */
export const driftText = (drift: number): string => real(drift, drift >= 0.1 ? 3 : 2);

/** The same in thousandths, for a cell: 0.034, 1.6, 285. */
export const thousandths = (drift: number): string => real(drift * 1000, drift >= 0.1 ? 3 : 2);

/** All that is known of a part, in one line. */
export function readingOf(row: SensitivityRow, sum: number, isOut: boolean, why?: string): string {
  const title = partTitle(row);
  if (row.drift === null) return [title, why].filter(Boolean).join(': ');
  return [
    `${title}: ${t('drift {n}', { n: driftText(row.drift) })}`,
    ...(sum > 0 ? [t('{share} of the sum', { share: share(row.drift / sum, 1) })] : []),
    `${bytesText(row.bytesBefore)} → ${bytesText(row.bytesAfter)}`,
    ...(isOut ? [t('left out')] : []),
  ].join(' · ');
}
