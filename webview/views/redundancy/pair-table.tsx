import { t } from '../../l10n.ts';
import type { Pair } from '../../layout/sharing.ts';
import { cosine } from '../../numbers.ts';
import { type DataColumn, DataTable } from './data-table.tsx';

interface PairTableProps<Row extends Pair> {
  readonly id: string;
  readonly label: string;
  readonly pairs: readonly Row[];
  readonly columns: readonly DataColumn<Row>[];
  readonly keyOf: (pair: Row) => string;
  readonly chosen: Row | undefined;
  readonly onChoose: (key: string) => void;
  readonly onCopy: (text: string) => void;
}

/** Pairs of layers or of heads, most alike first: the one that is chosen is shown in the map beside. */
export function PairTable<Row extends Pair>({ id, label, pairs, columns, keyOf, chosen, onChoose, onCopy }: PairTableProps<Row>) {
  return (
    <DataTable
      id={id}
      label={label}
      rows={pairs}
      columns={columns}
      rowKey={keyOf}
      selected={chosen && keyOf(chosen)}
      onSelect={pair => onChoose(keyOf(pair))}
      onCopy={onCopy}
      tall
    />
  );
}

export const cosineColumn = (): DataColumn<Pair> => ({
  ...{ key: 'cosine', title: t('Cosine'), numeric: true },
  value: it => it.cosine,
  text: it => String(it.cosine),
  cell: it => cosine(it.cosine),
});
