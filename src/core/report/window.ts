import { fail } from '../errors.ts';
import type { Window } from './inside.ts';

/** The part of a window that lies in the matrix. throws 'usage' when there is none */
export function clipped(window: Window, { rows, columns }: { readonly rows: number; readonly columns: number }): Window {
  const [top, bottom] = [Math.max(0, window.top), Math.min(rows, window.bottom)];
  const [left, right] = [Math.max(0, window.left), Math.min(columns, window.right)];
  const whole = [top, bottom, left, right].every(Number.isSafeInteger);
  if (whole && top < bottom && left < right) return { top, bottom, left, right };
  const wanted = `${window.top}:${window.bottom}, ${window.left}:${window.right}`;
  throw fail('usage', 'The window {wanted} is not in the matrix of {rows} x {columns}.', { wanted, rows, columns });
}
