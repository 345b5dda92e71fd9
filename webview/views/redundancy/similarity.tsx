import type { Redundancy } from '../../../src/protocol/messages.ts';
import { t } from '../../l10n.ts';
import { cosine } from '../../numbers.ts';
import { Sideways } from './sideways.tsx';

type Similarity = NonNullable<Redundancy['layers']>;

/** Cosines as a square of cells; the value is in each cell, or in its tooltip where cells are small. */
export function SimilarityGrid({ similarity, small = false }: { similarity: Similarity; small?: boolean }) {
  const { size, labels, cosines } = similarity;
  const rows = Array.from({ length: size }, (_, row) => row);
  const others = cosines.filter((_, at) => Math.floor(at / size) !== at % size).map(Math.abs);
  const most = others.length > 0 ? Math.max(...others) : 0;
  return (
    <>
      <Sideways label={similarity.id}>
        <table class={small ? 'similar small' : 'similar'}>
          <thead>
            <tr>
              <td />
              {rows.map(column => (
                <th key={column} scope="col">
                  {labels[column]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(row => (
              <tr key={row}>
                <th scope="row">{labels[row]}</th>
                {rows.map(column => {
                  const value = cosines[row * size + column]!;
                  const strength = row === column ? 0 : Math.round(46 * Math.min(1, Math.abs(value)));
                  return (
                    <td
                      key={column}
                      title={cosine(value)}
                      style={{ background: `color-mix(in oklab, var(--hr-cool) ${strength}%, var(--hr-bg))` }}
                    >
                      {small ? <span class="sr">{cosine(value)}</span> : cosine(value)}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </Sideways>
      <p class="muted small">{t('Most alike: {cosine}', { cosine: cosine(most) })}</p>
    </>
  );
}
