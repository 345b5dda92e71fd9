/** Columns in their order; the first holds the tree, with the mark of change before it. */
export const columns = ['name', 'bars', 'before', 'after', 'difference', 'percent', 'type', 'shape', 'error', 'cosine'] as const;
export type ColumnKey = (typeof columns)[number];

/** The columns a page of this width shows, in CSS pixels. What goes first is what another place also says. */
export function columnsFor(width: number): readonly ColumnKey[] {
  return columns.filter(column => width >= from[column]);
}

const from: Readonly<Record<ColumnKey, number>> = {
  name: 0,
  bars: 360,
  before: 1180,
  after: 0,
  difference: 640,
  percent: 0,
  type: 640,
  shape: 1440,
  error: 640,
  cosine: 1180,
};

/** Widths never depend on the values. */
export const trackOf: Readonly<Record<ColumnKey, string>> = {
  name: 'minmax(104px, 1fr)',
  bars: '86px',
  before: '60px',
  after: '60px',
  difference: '66px',
  percent: '64px',
  type: '90px',
  shape: '190px',
  error: '72px',
  cosine: '66px',
};
