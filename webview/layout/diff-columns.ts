/** Columns in their order. */
export const columns = [
  'mark',
  'name',
  'bars',
  'before',
  'after',
  'difference',
  'percent',
  'type',
  'shape',
  'error',
  'cosine',
] as const;
export type Column = (typeof columns)[number];

/** The columns a page of this width shows, in CSS pixels. What goes first is what another place also says. */
export function columnsFor(width: number): readonly Column[] {
  return columns.filter(column => width >= from[column]);
}

const from: Readonly<Record<Column, number>> = {
  mark: 0,
  name: 0,
  bars: 360,
  before: 1120,
  after: 0,
  difference: 640,
  percent: 0,
  type: 640,
  shape: 1440,
  error: 640,
  cosine: 1120,
};

/** Widths never depend on the values. */
export const trackOf: Readonly<Record<Column, string>> = {
  mark: '14px',
  name: 'minmax(90px, 1fr)',
  bars: '84px',
  before: '64px',
  after: '64px',
  difference: '66px',
  percent: '62px',
  type: '104px',
  shape: '190px',
  error: '72px',
  cosine: '58px',
};
