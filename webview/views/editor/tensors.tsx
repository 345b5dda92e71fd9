import type { RefObject } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Summary } from '../../../src/core/report/tree.ts';
import { t } from '../../l10n.ts';
import { type Entry, isTensor, type Measure, type ModelIndex, organs } from '../../layout/model-index.ts';
import type { ModelRow } from '../../layout/model-rows.ts';
import { visibleName } from '../../layout/names.ts';
import { count, exactBytes, shape, share } from '../../numbers.ts';
import { Bytes } from '../measured.tsx';
import { type Column, type Sorting, TreeTable, type TreeTableHandle } from '../tree-table.tsx';
import { subtitleOf, titleOf } from './words.ts';

export interface TensorsProps {
  readonly summary: Summary;
  readonly index: ModelIndex;
  readonly rows: readonly ModelRow[];
  readonly measure: Measure;
  /** Pixels of the table. */
  readonly width: number;
  readonly filtered: boolean;
  readonly selected: string | null;
  readonly hot: string | null;
  readonly sorting: Sorting | null;
  readonly onSort: (sorting: Sorting | null) => void;
  readonly onSelect: (id: string) => void;
  readonly onExpand: (ids: readonly string[], expanded: boolean) => void;
  readonly onHover: (id: string | null) => void;
  readonly scrollTop: number;
  readonly onScroll: (scrollTop: number) => void;
  readonly onCopy: (row: ModelRow) => void;
  readonly table: RefObject<TreeTableHandle | null>;
}

/** The tree of the model's parts, with their sizes. The other views are views of its rows. */
export function Tensors(props: TensorsProps) {
  const { summary, index, measure, width, filtered } = props;
  const columns = useMemo(
    () => columnsFor(summary, index, measure, width, filtered),
    [summary, index, measure, columnSet(width), filtered],
  );
  return (
    <TreeTable
      label={t('Tensors by size')}
      rows={props.rows}
      columns={columns}
      selected={props.selected}
      hot={props.hot}
      sorting={props.sorting}
      onSort={props.onSort}
      onSelect={row => props.onSelect(row.id)}
      onExpand={props.onExpand}
      onHover={props.onHover}
      text={row => titleOf(row.entry.node)}
      empty={<p class="nothing muted">{t('No tensor matches the filter.')}</p>}
      scrollTop={props.scrollTop}
      onScroll={props.onScroll}
      onCopy={props.onCopy}
      handle={props.table}
    />
  );
}

/** Which columns there is room for. What goes first is what another place also says. */
type ColumnSet = 'full' | 'no-shape' | 'slim' | 'no-type' | 'narrow' | 'narrowest';

/** Least widths of the table in pixels: the tracks, the gaps and the insets of each set. */
function columnSet(tableWidth: number): ColumnSet {
  if (tableWidth >= 768) return 'full';
  if (tableWidth >= 634) return 'no-shape';
  if (tableWidth >= 594) return 'slim';
  if (tableWidth >= 502) return 'no-type';
  return tableWidth >= 358 ? 'narrow' : 'narrowest';
}

/** Least widths of the name and widths of the bar, in pixels. */
const tracks: Readonly<Record<ColumnSet, readonly [number, number]>> = {
  full: [160, 150],
  'no-shape': [160, 120],
  slim: [150, 90],
  'no-type': [120, 84],
  narrow: [110, 74],
  narrowest: [100, 0],
};

function columnsFor(
  summary: Summary,
  index: ModelIndex,
  measure: Measure,
  tableWidth: number,
  filtered: boolean,
): Column<ModelRow>[] {
  const set = columnSet(tableWidth);
  const [nameLeast, barWidth] = tracks[set];
  const narrow = set === 'narrow' || set === 'narrowest';
  const total = index.root.node;
  const largest = Math.max(...index.root.children.map(child => child.node[measure]), 1);
  const dash = <span class="muted">–</span>;
  const quiet = (own: Measure): string => (own === measure ? '' : 'muted');
  const all: (Column<ModelRow> & { readonly shown: boolean })[] = [
    {
      shown: true,
      key: 'name',
      title: t('Name'),
      track: `minmax(${nameLeast}px, 1fr)`,
      cell: ({ entry }) => <NameCell entry={entry} subtitle={subtitleOf(entry, summary)} />,
      tip: ({ entry }) => visibleName(entry.node.id),
      total: filtered ? t('Total of the file') : t('Total'),
    },
    {
      shown: set !== 'narrowest',
      key: 'share',
      title: set === 'full' || set === 'no-shape' ? t('Share of model') : t('Share'),
      largestFirst: true,
      class: 'bars',
      track: `${barWidth}px`,
      cell: ({ entry }) => <ShareBar entry={entry} measure={measure} largest={largest} />,
    },
    {
      shown: true,
      key: 'percent',
      title: '%',
      label: t('Percent'),
      numeric: true,
      track: narrow ? '56px' : '60px',
      cell: ({ entry }) => (entry.node[measure] ? share(entry.node[measure] / total[measure]) : dash),
      total: share(1, 0),
    },
    {
      shown: !narrow,
      key: 'parameters',
      title: t('Parameters'),
      numeric: true,
      class: quiet('parameters'),
      track: '92px',
      cell: ({ entry }) => (entry.node.parameters ? count(entry.node.parameters) : dash),
      total: count(total.parameters),
    },
    {
      shown: true,
      key: 'bytes',
      title: t('Bytes'),
      numeric: true,
      class: `c-byte ${quiet('byteLength')}`,
      track: narrow ? '66px' : '74px',
      cell: ({ entry }) => <Bytes of={entry.node.byteLength} />,
      tip: ({ entry }) => exactBytes(entry.node.byteLength),
      total: <Bytes of={total.byteLength} />,
    },
    {
      shown: set === 'full',
      key: 'shape',
      title: t('Shape'),
      largestFirst: true,
      class: 'mono muted clip',
      track: '92px',
      cell: ({ entry }) => (entry.node.shape ? shape(entry.node.shape) : ''),
      tip: ({ entry }) => entry.node.shape && shape(entry.node.shape),
    },
    {
      shown: set === 'full' || set === 'no-shape' || set === 'slim',
      key: 'type',
      title: t('Type'),
      class: 'mono muted clip',
      track: '44px',
      cell: ({ entry }) => entry.node.dtype ?? '',
    },
  ];
  return all.filter(({ shown }) => shown);
}

function NameCell({ entry, subtitle }: { entry: Entry; subtitle: string }) {
  const raw = isTensor(entry.node) && entry.node.kind === 'tensor' && entry.node.tensors?.[0] === entry.node.title;
  return (
    <>
      <bdi class={raw ? 't mono' : 't'}>{titleOf(entry.node)}</bdi>
      {subtitle && <span class="sub">{subtitle}</span>}
    </>
  );
}

/** Length is the share of the model on one scale for every row; parents are split by organ. */
function ShareBar({ entry, measure, largest }: { entry: Entry; measure: Measure; largest: number }) {
  return (
    <span class="bar" aria-hidden="true">
      {organs.map(organ => {
        const part = entry.parts[measure][organ];
        return part > 0 && <i key={organ} class={`c-${organ}`} style={{ width: `${(part / largest) * 100}%` }} />;
      })}
    </span>
  );
}
