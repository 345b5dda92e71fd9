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
  const table = tableTitle(id);
  if (table) return `${t('Embeddings')}, ${table}`;
  return id === 'embeddings' ? t('Embeddings') : visibleName(id, 80);
}

/** What stands beside its row of the chart, where there is little room. */
export const shortTitle = (row: SensitivityRow): string => tableTitle(row.id) ?? partTitle(row);

const tableTitle = (id: string): string | undefined =>
  ({
    'embeddings.word_embeddings': t('Word'),
    'embeddings.position_embeddings': t('Position'),
    'embeddings.token_type_embeddings': t('Token type'),
  })[id];

/** 0.00413: two digits that matter, three from 0.1 on. */
export const driftText = (drift: number): string => real(drift, drift >= 0.1 ? 3 : 2);

/** The same as a multiple of a power of ten, for a cell: 4.5, 0.07; 0 where that is too little to show. */
export const multiple = (drift: number, power: number): string => real(Math.round((100 * drift) / 10 ** power) / 100, 2);

/** 10⁻³ */
export const powerText = (power: number): string =>
  `10${[...String(power)].map(digit => (digit === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)])).join('')}`;

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
