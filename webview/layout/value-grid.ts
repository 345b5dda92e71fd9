import type { Window } from '../../src/core/report/inside.ts';

// A grid of values that may have more rows and columns than a scrolled element can be high: the scroll position is scaled.

/** Pixels. */
export const cell = { width: 68, height: 20 } as const;
/** Browsers draw elements up to some 33 million pixels; half of it is safe at every zoom. */
const longest = 12_000_000;

/** The length in pixels of what is scrolled. */
export const scrollLength = (count: number, size: number): number => Math.min(longest, count * size);

/** The first row (or column) in view, as a fraction, for a scroll position. */
export function firstInView(scroll: number, view: number, count: number, size: number): number {
  const length = scrollLength(count, size);
  if (length === count * size) return scroll / size;
  const most = Math.max(1, length - view);
  return (scroll / most) * Math.max(0, count - view / size);
}

/** The scroll position that has row `first` on top. */
export function scrollOf(first: number, view: number, count: number, size: number): number {
  const length = scrollLength(count, size);
  if (length === count * size) return first * size;
  return (first / Math.max(1, count - view / size)) * Math.max(1, length - view);
}

/** Rows and columns of a page that is fetched at once: 6,400 values. */
export const page = { rows: 100, columns: 64 } as const;

/** The pages that cover a window, as windows of a matrix of `rows` x `columns`. */
export function pagesOf(window: Window, rows: number, columns: number): Window[] {
  const pages: Window[] = [];
  for (let top = Math.floor(window.top / page.rows) * page.rows; top < window.bottom; top += page.rows)
    for (let left = Math.floor(window.left / page.columns) * page.columns; left < window.right; left += page.columns)
      pages.push({ top, bottom: Math.min(rows, top + page.rows), left, right: Math.min(columns, left + page.columns) });
  return pages;
}

export const pageKey = ({ top, left }: Pick<Window, 'top' | 'left'>): string =>
  `${Math.floor(top / page.rows)}:${Math.floor(left / page.columns)}`;

/** Values that are asked for at once, at most. */
const mostAsked = 10_000;

/** A window in parts that can each be asked for at once, from top to bottom and from left to right. */
export function portions(window: Window): Window[] {
  const width = Math.min(mostAsked, window.right - window.left);
  const height = Math.max(1, Math.floor(mostAsked / width));
  const parts: Window[] = [];
  for (let top = window.top; top < window.bottom; top += height)
    for (let left = window.left; left < window.right; left += width)
      parts.push({ top, bottom: Math.min(window.bottom, top + height), left, right: Math.min(window.right, left + width) });
  return parts;
}

export interface Place {
  readonly row: number;
  readonly column: number;
}

/** The window between two places, both included. */
export const between = (a: Place, b: Place): Window => ({
  top: Math.min(a.row, b.row),
  bottom: Math.max(a.row, b.row) + 1,
  left: Math.min(a.column, b.column),
  right: Math.max(a.column, b.column) + 1,
});

export const holds = (window: Window, { row, column }: Place): boolean =>
  row >= window.top && row < window.bottom && column >= window.left && column < window.right;

/** Where a key leads; undefined when it is not the grid's. */
export function moved(
  at: Place,
  key: string,
  control: boolean,
  rows: number,
  columns: number,
  pageRows: number,
): Place | undefined {
  const to = (row: number, column: number): Place => ({
    row: Math.max(0, Math.min(rows - 1, row)),
    column: Math.max(0, Math.min(columns - 1, column)),
  });
  switch (key) {
    case 'ArrowUp':
      return to(control ? 0 : at.row - 1, at.column);
    case 'ArrowDown':
      return to(control ? rows : at.row + 1, at.column);
    case 'ArrowLeft':
      return to(at.row, control ? 0 : at.column - 1);
    case 'ArrowRight':
      return to(at.row, control ? columns : at.column + 1);
    case 'PageUp':
      return to(at.row - pageRows, at.column);
    case 'PageDown':
      return to(at.row + pageRows, at.column);
    case 'Home':
      return to(control ? 0 : at.row, 0);
    case 'End':
      return to(control ? rows : at.row, columns);
    default:
      return undefined;
  }
}
