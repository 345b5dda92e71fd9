import type { HeatMap, Window } from '../../src/core/report/inside.ts';

/** Cells of a heat map across and down, at most. */
export const mostCells = 48;
/** Values across and down where zooming in ends. */
const fewest = 8;

export interface MatrixSize {
  readonly rows: number;
  readonly columns: number;
}

export const whole = ({ rows, columns }: MatrixSize): Window => ({ top: 0, bottom: rows, left: 0, right: columns });
export const heightOf = ({ top, bottom }: Window): number => bottom - top;
export const widthOf = ({ left, right }: Window): number => right - left;
export const sameWindow = (a: Window, b: Window): boolean =>
  a.top === b.top && a.bottom === b.bottom && a.left === b.left && a.right === b.right;

/**
 * Twice as near (or as far), around a point given as shares of the window, 0 to 1. An axis that shows single values waits until the
 * other one does too, so that a tall matrix does not end as a sliver.
 */
export function zoom(window: Window, matrix: MatrixSize, nearer: boolean, x = 0.5, y = 0.5): Window {
  const [height, width] = [heightOf(window), widthOf(window)];
  const floorOf = (other: number): number => (nearer && other > mostCells ? mostCells : fewest);
  const size = (now: number, all: number, floor: number): number =>
    Math.min(all, nearer ? Math.min(now, Math.max(floor, half(now))) : now * 2);
  const rows = size(height, matrix.rows, floorOf(width));
  const columns = size(width, matrix.columns, floorOf(height));
  return placed(window.top + (height - rows) * y, window.left + (width - columns) * x, rows, columns, matrix);
}

/** A window that would show little more than a value a cell shows just that. */
const half = (size: number): number => (size > mostCells && size < 4 * mostCells ? mostCells : Math.ceil(size / 2));

/** Moved by so many values, and kept inside the matrix. */
export const pan = (window: Window, matrix: MatrixSize, down: number, right: number): Window =>
  placed(window.top + down, window.left + right, heightOf(window), widthOf(window), matrix);

function placed(top: number, left: number, rows: number, columns: number, matrix: MatrixSize): Window {
  const first = (wanted: number, size: number, all: number): number => Math.max(0, Math.min(all - size, Math.round(wanted)));
  const [t, l] = [first(top, rows, matrix.rows), first(left, columns, matrix.columns)];
  return { top: t, bottom: t + rows, left: l, right: l + columns };
}

/** The cell at a point given as shares of the map, with the rows and columns it stands for. */
export function cellAt(map: HeatMap, x: number, y: number): { readonly window: Window; readonly value: number | null } {
  const index = (share: number, cells: number): number => Math.max(0, Math.min(cells - 1, Math.floor(share * cells)));
  const [row, column] = [index(y, map.rows), index(x, map.columns)];
  return {
    window: {
      top: map.window.top + edge(row, map.rows, heightOf(map.window)),
      bottom: map.window.top + edge(row + 1, map.rows, heightOf(map.window)),
      left: map.window.left + edge(column, map.columns, widthOf(map.window)),
      right: map.window.left + edge(column + 1, map.columns, widthOf(map.window)),
    },
    value: map.cells[row * map.columns + column] ?? null,
  };
}

const edge = (cell: number, cells: number, size: number): number => Math.floor((cell * size) / cells);

/** A place in the matrix, between its values: the middle of a cell. */
export interface Spot {
  readonly row: number;
  readonly column: number;
}

const cellsOf = (size: number): number => Math.min(mostCells, size);

/** The middle of the cell that holds a spot, so many cells further; kept inside the matrix. */
export function step(window: Window, matrix: MatrixSize, from: Spot, down: number, right: number): Spot {
  const along = (at: number, start: number, size: number, all: number, by: number): number => {
    const cell = size / cellsOf(size);
    const middle = start + (Math.floor((at - start) / cell) + by + 0.5) * cell;
    return Math.max(0.5, Math.min(all - 0.5, middle));
  };
  return {
    row: along(from.row, window.top, heightOf(window), matrix.rows, down),
    column: along(from.column, window.left, widthOf(window), matrix.columns, right),
  };
}

/** Moved as little as needed for a spot to be inside. */
export function showing(window: Window, matrix: MatrixSize, { row, column }: Spot): Window {
  const over = (at: number, start: number, end: number): number =>
    at < start ? at - start - 0.5 : at > end ? at - end + 0.5 : 0;
  const [down, right] = [over(row, window.top, window.bottom), over(column, window.left, window.right)];
  const far = (by: number, size: number): number => (by === 0 ? 0 : Math.sign(by) * Math.max(Math.ceil(Math.abs(by)), size / 4));
  return pan(window, matrix, far(down, heightOf(window)), far(right, widthOf(window)));
}

/** A spot as shares of a window, 0 to 1; undefined outside it. */
export function shareOf(window: Window, { row, column }: Spot): { x: number; y: number } | undefined {
  const [x, y] = [(column - window.left) / widthOf(window), (row - window.top) / heightOf(window)];
  return x >= 0 && x <= 1 && y >= 0 && y <= 1 ? { x, y } : undefined;
}

export interface HeadBand {
  readonly head: number;
  /** Shares of the window, 0 to 1. */
  readonly from: number;
  readonly to: number;
}

/** The heads seen in a window along their axis. */
export function headBands({ heads, matrix }: HeatMap, window: Window): HeadBand[] {
  if (!heads) return [];
  const rows = heads.axis === 'rows';
  const [start, end] = rows ? [window.top, window.bottom] : [window.left, window.right];
  const all = rows ? matrix.rows : matrix.columns;
  const share = (at: number): number => (Math.max(start, Math.min(end, at)) - start) / (end - start);
  return heads.boundaries
    .map((from, head) => ({ head, from, to: heads.boundaries[head + 1] ?? all }))
    .filter(({ from, to }) => from < end && to > start && from < all)
    .map(({ head, from, to }) => ({ head, from: share(from), to: share(to) }));
}
