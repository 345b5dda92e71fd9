import { sentence } from '../../src/core/errors.ts';
import type {
  HeadMeasure,
  HeatMap,
  HeatMapRequest,
  Scores,
  TensorStatistics,
  ValuesPage,
  ValuesRequest,
} from '../../src/protocol/messages.ts';

// What is inside tensors, for tests: values from a formula, everything else worked out from them.

export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly at: (row: number, column: number) => number;
  /** Rows of a head, in a query, key or value. */
  readonly headDim?: number;
}

/** About normal, larger in some columns and in some heads; the same numbers every time. */
export function weightLike(rows: number, columns: number, headDim?: number): Matrix {
  const random = (row: number, column: number, seed: number): number => {
    let mixed = Math.imul(row + 1, 73_856_093) ^ Math.imul(column + 1, 19_349_663) ^ Math.imul(seed + 1, 83_492_791);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
    mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
  const at = (row: number, column: number): number => {
    let sum = -3;
    for (let seed = 0; seed < 6; seed++) sum += random(row, column, seed);
    const head = headDim ? 0.6 + 0.5 * Math.abs(Math.sin(Math.floor(row / headDim) * 1.7)) : 1;
    const neuron = column % 61 === 7 ? 2.2 : 0.8 + 0.3 * Math.sin(column / 40);
    return Math.fround(sum * 0.06 * head * neuron);
  };
  return { rows, columns, at, ...(headDim && { headDim }) };
}

export function statisticsOf({ rows, columns, at }: Matrix): TensorStatistics {
  const values: number[] = [];
  for (let row = 0; row < rows; row++) for (let column = 0; column < columns; column++) values.push(at(row, column));
  const finite = values.filter(Number.isFinite).sort((a, b) => a - b);
  const mean = finite.reduce((sum, value) => sum + value, 0) / finite.length;
  const std = Math.sqrt(finite.reduce((sum, value) => sum + (value - mean) ** 2, 0) / finite.length);
  const [min, max] = [finite[0]!, finite.at(-1)!];
  const counts = new Array<number>(256).fill(0);
  for (const value of finite) counts[Math.min(255, Math.floor(((value - min) / (max - min || 1)) * 256))]!++;
  return {
    acting: false,
    count: values.length,
    min,
    max,
    mean,
    std,
    zeros: finite.filter(value => value === 0).length,
    nonFinite: values.length - finite.length,
    percentiles: [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99].map(share => ({
      at: share,
      value: finite[Math.floor(share * (finite.length - 1))]!,
    })),
    histogram: { from: min, to: max, counts },
  };
}

export function heatMapOf(matrix: Matrix, request: HeatMapRequest): HeatMap {
  const window = request.window ?? { top: 0, bottom: matrix.rows, left: 0, right: matrix.columns };
  const [height, width] = [window.bottom - window.top, window.right - window.left];
  const [rows, columns] = [Math.min(request.rows, height), Math.min(request.columns, width)];
  const exact = rows === height && columns === width;
  const edge = (index: number, cells: number, size: number): number => Math.floor((index * size) / cells);
  const cells: (number | null)[] = [];
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      let [sum, count, only] = [0, 0, 0];
      for (let r = window.top + edge(row, rows, height); r < window.top + edge(row + 1, rows, height); r++)
        for (let c = window.left + edge(column, columns, width); c < window.left + edge(column + 1, columns, width); c++) {
          const value = matrix.at(r, c);
          if (!Number.isFinite(value)) continue;
          only = value;
          sum += value * value;
          count++;
        }
      cells.push(count === 0 ? null : exact ? only : Math.sqrt(sum / count));
    }
  const known = cells.filter(cell => cell !== null);
  const boundaries = matrix.headDim && Array.from({ length: matrix.rows / matrix.headDim }, (_, head) => head * matrix.headDim!);
  return {
    acting: false,
    transposed: false,
    matrix: { rows: matrix.rows, columns: matrix.columns },
    window,
    rows,
    columns,
    cells,
    exact,
    from: Math.min(...known),
    to: Math.max(...known),
    ...(boundaries && { heads: { axis: 'rows', boundaries } }),
  };
}

export function valuesOf(matrix: Matrix, { window }: ValuesRequest): ValuesPage {
  const values: (number | string)[][] = [];
  for (let row = window.top; row < window.bottom; row++) {
    values.push([]);
    for (let column = window.left; column < window.right; column++) {
      const value = matrix.at(row, column);
      values.at(-1)!.push(Number.isFinite(value) ? value : String(value));
    }
  }
  return { window, values };
}

export const measuresOf = (layers: number, heads: number): HeadMeasure[] =>
  Array.from({ length: layers * heads }, (_, index) => {
    const [layer, head] = [Math.floor(index / heads), index % heads];
    return { layer, head, norm: 12 + layer + 4 * Math.abs(Math.sin(index * 2.3)), zeros: ((index * 7) % 11) / 40 };
  });

/** Scores of minilm's 72 heads, 9,216 neurons or 6 layers; with the loss where the model ran on text. */
export function scoresFor(pass: Scores['pass'], by: string, text: string | null): Scores {
  const units = { 'prune-heads': 12, 'prune-neurons': 1536, 'prune-layers': 1 }[pass];
  const of = (layer: number, unit: number): number =>
    0.0006 + (1 + layer) * Math.abs(Math.sin(1 + (layer * units + unit) * 2.3)) ** 3 * 0.01;
  const fraction = [0.05, 0.1, 0.25, 0.5, 0.75, 0.95];
  const loss = { fraction, drift: fraction.map(at => at ** 2 * 0.2), texts: 64 };
  return {
    version: 1,
    pass,
    by,
    meaning: sentence('The squared size of its weights: a poor guide to what is lost.'),
    layers: Array.from({ length: 6 }, (_, layer) => ({
      layer,
      scores: Array.from({ length: units }, (_, unit) => of(layer, unit)),
    })),
    skipped: [],
    texts: text === null ? 0 : 64,
    ...(text !== null && { loss, evenLoss: loss }),
  };
}
