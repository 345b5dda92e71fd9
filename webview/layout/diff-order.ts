import type { ComparisonNode } from '../../src/core/report/comparison.ts';
import type { Digest } from './diff-digest.ts';

/** A column of the table that can put its rows in order. */
export type SortKey = 'name' | 'before' | 'after' | 'difference' | 'percent' | 'type' | 'shape' | 'error' | 'cosine';

export interface Sort {
  readonly key: SortKey;
  readonly direction: 'ascending' | 'descending';
}

/** What a first press on a column's head asks for: what matters most on top. */
export const firstDirection: Readonly<Record<SortKey, Sort['direction']>> = {
  name: 'ascending',
  before: 'descending',
  after: 'descending',
  difference: 'ascending',
  percent: 'ascending',
  type: 'ascending',
  shape: 'descending',
  error: 'descending',
  cosine: 'ascending',
};

/** A first press sorts, a second reverses, a third gives back the model's own order. */
export function nextSort(current: Sort | null, key: SortKey): Sort | null {
  if (current?.key !== key) return { key, direction: firstDirection[key] };
  if (current.direction !== firstDirection[key]) return null;
  return { key, direction: current.direction === 'ascending' ? 'descending' : 'ascending' };
}

export type Value = number | string | undefined;

export function sortValue(node: ComparisonNode, key: SortKey, digest: Digest, title: (node: ComparisonNode) => string): Value {
  const [before, after] = [node.before?.byteLength ?? 0, node.after?.byteLength ?? 0];
  const entry = digest.get(node.id);
  switch (key) {
    case 'name':
      return title(node);
    case 'before':
      return before;
    case 'after':
      return after;
    case 'difference':
      return after - before;
    case 'percent':
      return before === 0 ? undefined : (after - before) / before;
    case 'type':
      return entry?.after.dtype ?? entry?.before.dtype;
    case 'shape':
      return (entry?.after.shape ?? entry?.before.shape)?.reduce((product, size) => product * size, 1);
    case 'error':
      return entry?.error;
    case 'cosine':
      return entry?.cosine;
  }
}

/** Siblings in the order asked for. Rows without a value come last either way; equal ones stay in model order. */
export function ordered(
  nodes: readonly ComparisonNode[],
  sort: Sort | null,
  digest: Digest,
  title: (node: ComparisonNode) => string,
): readonly ComparisonNode[] {
  if (!sort) return nodes;
  const values = new Map(nodes.map(node => [node, sortValue(node, sort.key, digest, title)]));
  const sign = sort.direction === 'ascending' ? 1 : -1;
  return [...nodes].sort((a, b) => {
    const [x, y] = [values.get(a), values.get(b)];
    if (x === undefined || y === undefined) return x === y ? 0 : x === undefined ? 1 : -1;
    return sign * (typeof x === 'string' ? x.localeCompare(String(y), undefined, { numeric: true }) : x - Number(y));
  });
}
