import type { Anatomy } from '../anatomy/anatomy.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { HeatMap, HeatMapRequest, Window } from './inside.ts';
import { headsOf, organOf } from './organ-of.ts';
import { elementRuns, matrixOf, type TensorMatrix } from './tensor-matrix.ts';
import { clipped } from './window.ts';

/** Cells across and down that are given at most. */
const MOST_CELLS = 1024;

/**
 * The matrix as it acts (rows are outputs, also where it is stored [in, out]) as a grid of cells. Streams: only the cells are held.
 * null for text, complex numbers and empty tensors.
 * throws 'usage' for a window outside the matrix, 'cancelled'
 */
export async function heatMap(
  tensor: Tensor,
  anatomy: Anatomy,
  request: HeatMapRequest,
  signal?: AbortSignal,
): Promise<HeatMap | null> {
  const organ = organOf(tensor, anatomy);
  const stored = await matrixOf(tensor, organ, signal);
  return stored ? heatMapOf(stored, organ && headsOf(organ, anatomy), request, signal) : null;
}

/** The same of a matrix that may be none of the file's tensors. */
export async function heatMapOf(
  stored: TensorMatrix,
  heads: HeatMap['heads'],
  request: HeatMapRequest,
  signal?: AbortSignal,
): Promise<HeatMap> {
  const { transposed, acting } = stored;
  const matrix = transposed ? { rows: stored.columns, columns: stored.rows } : { rows: stored.rows, columns: stored.columns };
  const window = clipped(request.window ?? { top: 0, bottom: matrix.rows, left: 0, right: matrix.columns }, matrix);
  const rows = cellsFor(request.rows, window.bottom - window.top);
  const columns = cellsFor(request.columns, window.right - window.left);
  const exact = rows === window.bottom - window.top && columns === window.right - window.left;
  const cells = transposed
    ? turned(await reduce(stored, turnedWindow(window), columns, rows, exact, signal), columns, rows)
    : await reduce(stored, window, rows, columns, exact, signal);
  const [from, to] = ends(cells);
  return { matrix, window, columns, rows, cells, exact, from, to, acting, transposed, ...(heads && { heads }) };
}

const cellsFor = (wanted: number, length: number): number => Math.max(1, Math.min(Math.floor(wanted) || 1, length, MOST_CELLS));

const turnedWindow = ({ top, bottom, left, right }: Window): Window => ({ top: left, bottom: right, left: top, right: bottom });

/** Rows x columns as columns x rows. */
const turned = <T>(cells: readonly T[], rows: number, columns: number): T[] =>
  Array.from(cells, (_, i) => cells[(i % rows) * columns + Math.floor(i / rows)]!);

/** Where each cell of an axis begins, and the end of the last: sizes differ by one at most. */
const edgesOf = (start: number, end: number, cells: number): number[] =>
  Array.from({ length: cells + 1 }, (_, i) => start + Math.floor((i * (end - start)) / cells));

/** Cells of a window of the matrix as it is stored. */
async function reduce(
  matrix: TensorMatrix,
  { top, bottom, left, right }: Window,
  rows: number,
  columns: number,
  exact: boolean,
  signal?: AbortSignal,
): Promise<(number | null)[]> {
  const down = edgesOf(top, bottom, rows);
  const across = edgesOf(left, right, columns);
  const sums = new Float64Array(rows * columns);
  const counts = new Float64Array(rows * columns);
  const width = matrix.columns;
  let band = 0;
  for await (const { start, values } of elementRuns(matrix, top * width, bottom * width, signal)) {
    const end = start + values.length;
    for (let at = start; at < end; ) {
      const row = Math.floor(at / width);
      while (row >= down[band + 1]!) band++;
      const [first, last] = [at - row * width, Math.min(width, end - row * width)];
      for (let cell = 0; cell < columns; cell++) {
        const [low, high] = [Math.max(first, across[cell]!), Math.min(last, across[cell + 1]!)];
        let [sum, count] = [0, 0];
        for (let i = row * width + low - start, stop = row * width + high - start; i < stop; i++) {
          const value = values[i]!;
          if (value - value !== 0) continue; // NaN, infinite
          sum += exact ? value : value * value;
          count++;
        }
        sums[band * columns + cell]! += sum;
        counts[band * columns + cell]! += count;
      }
      at = (row + 1) * width;
    }
  }
  return Array.from(sums, (sum, i) => {
    if (counts[i] === 0) return null;
    return exact ? sum : Math.min(Math.sqrt(sum / counts[i]!), Number.MAX_VALUE);
  });
}

function ends(cells: readonly (number | null)[]): [number, number] {
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const cell of cells) {
    if (cell === null) continue;
    if (cell < from) from = cell;
    if (cell > to) to = cell;
  }
  return from <= to ? [from, to] : [0, 0];
}
