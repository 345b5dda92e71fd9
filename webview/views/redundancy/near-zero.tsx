import type { Redundancy } from '../../../src/protocol/messages.ts';
import { t } from '../../l10n.ts';
import { visibleName } from '../../layout/names.ts';
import { share } from '../../numbers.ts';
import { Name } from '../name.tsx';
import { type DataColumn, DataTable } from './data-table.tsx';
import { Section } from './section.tsx';

type Organ = Redundancy['nearZero']['organs'][number];

/** How many weights are near zero, in all and by matrix. */
export function NearZero({ redundancy: { nearZero }, onCopy }: { redundancy: Redundancy; onCopy: (text: string) => void }) {
  const { organs } = nearZero;
  const most = organs.reduce((max, each) => Math.max(max, each.share), 0);
  const columns = columnsOf(most);
  return (
    <Section
      id="near-zero"
      title={t('Weights near zero')}
      note={t('under 1 % of their matrix’s standard deviation')}
      table={{ columns, rows: organs }}
      onCopy={onCopy}
    >
      <p>
        {t('{share} of all weights. Zeros alone do not make a file smaller.', { share: share(nearZero.all) })}{' '}
        <span class="muted">{t('Normally distributed weights have {share}.', { share: share(0.00798) })}</span>
      </p>
      <DataTable
        id="near-zero"
        label={t('Weights near zero')}
        rows={organs}
        columns={columns}
        rowKey={({ id }) => id}
        onCopy={onCopy}
        tall
      />
    </Section>
  );
}

const columnsOf = (most: number): DataColumn<Organ>[] => [
  {
    ...{ key: 'id', title: t('Matrix'), class: 'mono clip' },
    value: ({ id }) => id,
    text: ({ id }) => id,
    cell: ({ id }) => <Name limit={120}>{id}</Name>,
    tip: ({ id }) => visibleName(id),
  },
  {
    ...{ key: 'share', title: t('Near zero'), numeric: true },
    value: it => it.share,
    text: it => `${(it.share * 100).toFixed(3)}%`,
    cell: it => (
      <span class="barred">
        <span class="bar c-attention" aria-hidden="true">
          {it.share > 0 && <i style={{ width: `${(100 * it.share) / (most || 1)}%` }} />}
        </span>
        {share(it.share)}
      </span>
    ),
  },
];
