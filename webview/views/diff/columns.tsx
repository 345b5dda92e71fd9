import type { ComparisonNode } from '../../../src/core/report/comparison.ts';
import { t } from '../../l10n.ts';
import { errorScale, type Organ, pairBar } from '../../layout/diff-bars.ts';
import { type ColumnKey, trackOf } from '../../layout/diff-columns.ts';
import { type Digest, isTensor, type NodeDigest } from '../../layout/diff-digest.ts';
import type { DiffRow } from '../../layout/diff-rows.ts';
import { visibleName } from '../../layout/names.ts';
import { bytes, changeBytes, changeShare, cosine, exactBytes, type Measured, shape, share } from '../../numbers.ts';
import type { Column } from '../tree-table.tsx';
import { PairBar } from './pair-bar.tsx';
import { changeWord, marks, titleOf } from './words.ts';

interface ColumnContext {
  readonly root: ComparisonNode;
  readonly digest: Digest;
  readonly organs: ReadonlyMap<string, Organ>;
  readonly scale: number;
}

/** The table's columns for a list of keys. */
export function columnsOf(keys: readonly ColumnKey[], context: ColumnContext): readonly Column<DiffRow>[] {
  const all: Record<ColumnKey, Omit<Column<DiffRow>, 'track'>> = { ...sizeColumns(context, keys), ...errorColumns(context) };
  return keys.map(key => ({ ...all[key], track: trackOf[key] }));
}

type Columns = Record<string, Omit<Column<DiffRow>, 'track'>>;

function sizeColumns({ root, organs, scale }: ColumnContext, keys: readonly ColumnKey[]) {
  const [before, after] = [root.before?.byteLength ?? 0, root.after?.byteLength ?? 0];
  return {
    name: {
      key: 'name',
      title: t('Name'),
      cell: ({ node }) => <NameCell node={node} />,
      tip: ({ node }) => visibleName(node.id),
      total: t('Total'),
    },
    bars: {
      // Where the bytes before have no column of their own, this one sorts by them.
      key: keys.includes('before') ? 'bars' : 'before',
      title: t('Before and after'),
      sortable: !keys.includes('before'),
      cell: ({ node }) => (
        <PairBar
          bar={pairBar(node.before?.byteLength ?? 0, node.after?.byteLength ?? 0, scale)}
          organ={organs.get(node.id) ?? 'other'}
          removed={node.change === 'removed'}
        />
      ),
    },
    before: {
      key: 'before',
      title: t('Before'),
      numeric: true,
      cell: ({ node }) => <span class="muted">{node.before ? <Size of={bytes(node.before.byteLength)} /> : <NoSize />}</span>,
      tip: ({ node }) => (node.before ? exactBytes(node.before.byteLength) : undefined),
      total: <Size of={bytes(before)} />,
    },
    after: {
      key: 'after',
      title: t('After'),
      numeric: true,
      cell: ({ node }) => (node.after ? <Size of={bytes(node.after.byteLength)} /> : <NoSize />),
      tip: ({ node }) => (node.after ? exactBytes(node.after.byteLength) : undefined),
      total: <Size of={bytes(after)} />,
    },
    difference: {
      key: 'difference',
      title: t('Change'),
      numeric: true,
      cell: ({ node }) => <Difference of={differenceOf(node)} />,
      tip: ({ node }) => exactBytes(differenceOf(node)),
      total: <Difference of={after - before} />,
    },
    percent: {
      key: 'percent',
      title: '%',
      label: t('Change in percent'),
      numeric: true,
      cell: ({ node }) => <Percent before={node.before?.byteLength ?? 0} after={node.after?.byteLength ?? 0} />,
      total: <Percent before={before} after={after} />,
    },
  } satisfies Columns;
}

function errorColumns({ root, digest }: ColumnContext) {
  const full = errorScale(digest.get(root.id)?.error);
  return {
    type: {
      key: 'type',
      title: t('Type'),
      class: 'mono',
      cell: ({ id }) => <Pair before={digest.get(id)?.before.dtype} after={digest.get(id)?.after.dtype} />,
    },
    shape: {
      key: 'shape',
      title: t('Shape'),
      class: 'mono',
      cell: ({ id }) => <Pair before={shapeOf(digest.get(id)?.before)} after={shapeOf(digest.get(id)?.after)} />,
    },
    error: {
      key: 'error',
      title: t('Error'),
      cell: ({ node }) => <ErrorCell node={node} entry={digest.get(node.id)} full={full} />,
      tip: ({ node }) => errorTip(node, digest.get(node.id)),
    },
    cosine: {
      key: 'cosine',
      title: t('Cosine'),
      numeric: true,
      class: 'small',
      cell: ({ node }) => <CosineCell node={node} entry={digest.get(node.id)} />,
    },
  } satisfies Columns;
}

const differenceOf = ({ before, after }: ComparisonNode): number => (after?.byteLength ?? 0) - (before?.byteLength ?? 0);
const shapeOf = (kind: NodeDigest['before'] | undefined): string | undefined => kind?.shape && shape(kind.shape);

function NameCell({ node }: { node: ComparisonNode }) {
  return (
    <>
      <span class={`st st-${node.change}`} title={changeWord(node.change)}>
        <span aria-hidden="true">{marks[node.change]}</span>
        <span class="sr">{changeWord(node.change)}</span>
      </span>
      <span class="t">
        <bdi>{titleOf(node)}</bdi>
      </span>
    </>
  );
}

/** A number with its unit in a column of its own, so that digits line up. */
function Size({ of }: { of: Measured }) {
  return (
    <>
      {of.value}
      <span class="u">{of.unit}</span>
    </>
  );
}
const NoSize = () => <Size of={{ value: '–', unit: '' }} />;

function Difference({ of }: { of: number }) {
  return of === 0 ? (
    <span class="muted">
      <Size of={{ value: '0', unit: '' }} />
    </span>
  ) : (
    <Size of={changeBytes(of)} />
  );
}

function Percent({ before, after }: { before: number; after: number }) {
  const quiet = before === after || before === 0;
  return <span class={quiet ? 'muted' : undefined}>{changeShare(before, after)}</span>;
}

function Pair({ before, after }: { before: string | undefined; after: string | undefined }) {
  if (before && after && before !== after)
    return (
      <>
        <span class="muted">{before}</span> → {after}
      </>
    );
  return <span class="muted">{after ?? before ?? ''}</span>;
}

/** An error of its own, or the bound over those inside a group: "≤ 1.4 %". */
function ErrorCell({ node, entry, full }: { node: ComparisonNode; entry: NodeDigest | undefined; full: number }) {
  if (entry?.error === undefined) return null;
  const own = node.error !== undefined;
  return (
    <span class={own ? 'eb' : 'eb bound muted'}>
      <span class="num small">{own ? errorText(entry.error) : `≤ ${errorText(entry.error)}`}</span>
      {own && (
        <span class="bar c-forward" aria-hidden="true">
          <i style={{ width: `${Math.min(1, entry.error / full) * 100}%` }} />
        </span>
      )}
    </span>
  );
}

export const errorText = (relative: number): string =>
  Number.isFinite(relative) ? share(relative, relative >= 0.0995 ? 0 : 1) : '∞';

function errorTip(node: ComparisonNode, entry: NodeDigest | undefined): string | undefined {
  if (entry?.error === undefined) return undefined;
  if (isTensor(node) || node.error) return t('Relative change of the weights as they act');
  return t('The largest error inside');
}

function CosineCell({ node, entry }: { node: ComparisonNode; entry: NodeDigest | undefined }) {
  if (entry?.cosine === undefined) return null;
  return <span class={node.error ? undefined : 'muted'}>{(node.error ? '' : '≥ ') + cosine(entry.cosine)}</span>;
}
