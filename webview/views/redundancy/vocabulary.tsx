import type { Redundancy } from '../../../src/protocol/messages.ts';
import { t } from '../../l10n.ts';
import { markdownOf, tsvOf } from '../../layout/flat-table.ts';
import { bytesText, cosine, count } from '../../numbers.ts';
import { type DataColumn, DataTable } from './data-table.tsx';
import { Section } from './section.tsx';

type Vocabulary = NonNullable<Redundancy['vocabulary']>;
type Group = NonNullable<Vocabulary['near']>['groups'][number];

/** Rows of the word table that no training reached, and those that are nearly the same. */
export function VocabularyRows({
  redundancy: { vocabulary },
  onCopy,
}: {
  redundancy: Redundancy;
  onCopy: (text: string) => void;
}) {
  const columns = columnsOf();
  const near = vocabulary?.near;
  const copies = near && { tsv: () => tsvOf(columns, near.groups), markdown: () => markdownOf(columns, near.groups) };
  return (
    <Section
      id="vocabulary"
      title={t('Unused vocabulary')}
      copies={near && near.groups.length > 0 ? copies : undefined}
      onCopy={onCopy}
    >
      {!vocabulary && <p class="muted">{t('There is no word table.')}</p>}
      {vocabulary && <Unused vocabulary={vocabulary} />}
      {near && near.rows === 0 && <p class="muted">{t('No other two rows are nearly the same (cosine of at least 0.99).')}</p>}
      {near && near.rows > 0 && (
        <>
          <p>
            {t('Rows that are nearly the same as another (cosine of at least 0.99): {n}, {size}.', {
              n: near.rows,
              size: bytesText(near.byteLength),
            })}
          </p>
          <DataTable
            id="near"
            label={t('Rows that are nearly the same')}
            rows={near.groups}
            columns={columns}
            rowKey={({ rows }) => String(rows[0])}
            onCopy={onCopy}
            tall
          />
        </>
      )}
    </Section>
  );
}

function Unused({ vocabulary: { rows, unused, byteLength, examples } }: { vocabulary: Vocabulary }) {
  if (unused === 0) return <p class="muted">{t('None of {rows} rows is constant, zero, or equal to another.', { rows })}</p>;
  const named = examples.join(', ') + (unused > examples.length ? ' …' : '');
  return (
    <>
      <p>
        {t('{unused} of {rows} rows look untrained: {size}.', { unused, rows, size: bytesText(byteLength) })}{' '}
        <span class="muted">{t('They are constant, zero, or equal to another.')}</span>
      </p>
      <p class="small muted">{t('Rows {rows}', { rows: named })}</p>
    </>
  );
}

const named = ({ rows, count: all }: Group): string => rows.join(', ') + (all > rows.length ? ' …' : '');

const columnsOf = (): DataColumn<Group>[] => [
  {
    ...{ key: 'rows', title: t('Rows'), class: 'mono clip' },
    value: ({ rows }) => rows[0]!,
    text: named,
    tip: named,
  },
  {
    ...{ key: 'count', title: t('Count'), numeric: true },
    value: it => it.count,
    text: it => String(it.count),
    cell: it => count(it.count),
  },
  {
    ...{ key: 'cosine', title: t('Cosine'), numeric: true },
    value: it => it.cosine,
    text: it => String(it.cosine),
    cell: it => cosine(it.cosine),
    tip: () => t('The smallest in the group'),
  },
];
