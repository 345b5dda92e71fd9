import type { HeadSize } from '../../src/core/report/tree.ts';

export interface HeadCell extends HeadSize {
  /** 0 is the smallest head of the model, 1 the largest; 0.4 when all are alike. */
  readonly level: number;
}

/** Layers by heads; null where a layer has no such head. */
export interface HeadsGrid {
  readonly rows: readonly (readonly (HeadCell | null)[])[];
  readonly columns: number;
  readonly smallest: HeadSize;
  readonly largest: HeadSize;
  readonly alike: boolean;
}

const alikeLevel = 0.4;

/** The grid of a model's heads by one measure; undefined when none are known. */
export function headsGrid(
  heads: readonly HeadSize[],
  layers: number,
  measure: 'parameters' | 'byteLength',
): HeadsGrid | undefined {
  const first = heads[0];
  if (!first) return undefined;
  let smallest = first;
  let largest = first;
  let columns = 0;
  for (const head of heads) {
    if (head[measure] < smallest[measure]) smallest = head;
    if (head[measure] > largest[measure]) largest = head;
    columns = Math.max(columns, head.head + 1);
  }
  const range = largest[measure] - smallest[measure];
  const rows: (HeadCell | null)[][] = Array.from({ length: layers }, () => Array.from({ length: columns }, () => null));
  for (const head of heads) {
    const row = rows[head.layer];
    if (row) row[head.head] = { ...head, level: range ? (head[measure] - smallest[measure]) / range : alikeLevel };
  }
  return { rows, columns, smallest, largest, alike: range === 0 };
}

/** Where a key leads in the grid; undefined when it is not the grid's. Empty places can be visited: they say that they are empty. */
export function gridNeighbour(
  grid: Pick<HeadsGrid, 'rows' | 'columns'>,
  layer: number,
  head: number,
  key: string,
  control: boolean,
): { layer: number; head: number } | undefined {
  const bottom = grid.rows.length - 1;
  const end = grid.columns - 1;
  switch (key) {
    case 'ArrowLeft':
      return { layer, head: Math.max(0, head - 1) };
    case 'ArrowRight':
      return { layer, head: Math.min(end, head + 1) };
    case 'ArrowUp':
      return { layer: Math.max(0, layer - 1), head };
    case 'ArrowDown':
      return { layer: Math.min(bottom, layer + 1), head };
    case 'Home':
      return { layer: control ? 0 : layer, head: 0 };
    case 'End':
      return { layer: control ? bottom : layer, head: end };
    default:
      return undefined;
  }
}
