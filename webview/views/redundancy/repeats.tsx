import type { Redundancy } from '../../../src/protocol/messages.ts';
import { t } from '../../l10n.ts';
import { visibleName } from '../../layout/names.ts';
import { bytesText, cosine, exactBytes } from '../../numbers.ts';
import { Name } from '../name.tsx';
import { type DataColumn, DataTable } from './data-table.tsx';
import { Section } from './section.tsx';

type Repeat = Redundancy['repeats'][number];

/** Elements of the page that many rows would take; the rest is counted, and copied with the others. */
const mostRows = 500;

/** Identical and nearly identical tensors. */
export function Repeats({ redundancy: { repeats }, onCopy }: { redundancy: Redundancy; onCopy: (text: string) => void }) {
  const columns = columnsOf();
  const bytes = repeats.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return (
    <Section
      id="repeats"
      title={t('Tensors that stand twice')}
      note={repeats.length > 0 ? t('{n} of them, {size}', { n: repeats.length, size: bytesText(bytes) }) : undefined}
      table={repeats.length > 0 ? { columns, rows: repeats } : undefined}
      onCopy={onCopy}
    >
      {repeats.length === 0 ? (
        <p class="muted">{t('None: no two tensors are alike.')}</p>
      ) : (
        <DataTable
          id="repeats"
          label={t('Tensors that stand twice')}
          rows={repeats.slice(0, mostRows)}
          columns={columns}
          rowKey={({ tensor }) => tensor}
          onCopy={onCopy}
          tall
        />
      )}
      {repeats.length > mostRows && (
        <p class="muted small">{t('{n} more are copied with the table.', { n: repeats.length - mostRows })}</p>
      )}
    </Section>
  );
}

const columnsOf = (): DataColumn<Repeat>[] => [
  {
    ...{ key: 'tensor', title: t('Tensor'), class: 'mono clip half' },
    value: ({ tensor }) => tensor,
    text: ({ tensor }) => visibleName(tensor),
    cell: ({ tensor }) => <Name limit={120}>{tensor}</Name>,
    tip: ({ tensor }) => visibleName(tensor),
  },
  {
    ...{ key: 'of', title: t('Like'), class: 'mono clip half' },
    value: ({ of }) => of,
    text: ({ of }) => visibleName(of),
    cell: ({ of }) => <Name limit={120}>{of}</Name>,
    tip: ({ of }) => visibleName(of),
  },
  {
    ...{ key: 'cosine', title: t('Cosine'), numeric: true },
    value: it => it.cosine,
    text: it => String(it.cosine),
    cell: it => (it.cosine === 1 ? t('identical') : cosine(it.cosine)),
  },
  {
    ...{ key: 'bytes', title: t('Bytes'), numeric: true, from: 480 },
    value: ({ byteLength }) => byteLength,
    text: ({ byteLength }) => String(byteLength),
    cell: ({ byteLength }) => bytesText(byteLength),
    tip: ({ byteLength }) => exactBytes(byteLength),
  },
];
