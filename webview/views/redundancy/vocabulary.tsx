import type { Redundancy } from '../../../src/protocol/messages.ts';
import { t } from '../../l10n.ts';
import { visibleName } from '../../layout/names.ts';
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
  const columns = columnsOf(rowNames(vocabulary));
  const near = vocabulary?.near;
  return (
    <Section
      id="vocabulary"
      title={t('Unused vocabulary')}
      table={near && near.groups.length > 0 ? { columns, rows: near.groups } : undefined}
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

function Unused({ vocabulary }: { vocabulary: Vocabulary }) {
  const { rows, unused, byteLength, examples } = vocabulary;
  if (unused === 0) return <p class="muted">{t('None of {rows} rows is constant, zero, or equal to another.', { rows })}</p>;
  const named = listed(examples, unused, rowNames(vocabulary));
  return (
    <>
      <p>
        {t('{unused} of {rows} rows look untrained: {size}.', { unused, rows, size: bytesText(byteLength) })}{' '}
        <span class="muted">{t('They are constant, zero, or equal to another.')}</span>
      </p>
      <p class="small muted">
        <bdi>{t('Rows {rows}', { rows: named })}</bdi>
      </p>
    </>
  );
}

type NameOf = (row: number) => string;

/** "104 [unused99]": tokens are untrusted text. */
function rowNames(vocabulary: Vocabulary | null): NameOf {
  const tokens = new Map(vocabulary?.tokens ?? []);
  return row => {
    const token = tokens.get(row);
    return token === undefined ? String(row) : `${row} ${isolated(visibleName(token, 40))}`;
  };
}

/** Letters and marks that run from right to left do so by themselves: tokens stand beside each other in one line. */
const isolated = (token: string): string =>
  /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069]/.test(token) ? `\u2068${token}\u2069` : token;

const listed = (rows: readonly number[], all: number, name: NameOf): string =>
  rows.map(name).join(', ') + (all > rows.length ? ' …' : '');

const columnsOf = (name: NameOf): DataColumn<Group>[] => [
  {
    ...{ key: 'rows', title: t('Rows'), class: 'mono clip' },
    value: ({ rows }) => rows[0]!,
    text: ({ rows, count: all }) => listed(rows, all, name),
    cell: ({ rows, count: all }) => <bdi>{listed(rows, all, name)}</bdi>,
    tip: ({ rows, count: all }) => listed(rows, all, name),
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
