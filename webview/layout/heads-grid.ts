import type { HeadSize } from '../../src/core/report/tree.ts';
import { scaleOf } from './unit-scores.ts';

export interface HeadCell extends HeadSize {
  /** What the grid is coloured by; undefined where it is not known. */
  readonly value: number | undefined;
  /** 0 is the smallest value of the model, 1 the largest; 0.4 when all are alike, 0 when all are 0. */
  readonly level: number;
}

/** Layers by heads; null where a layer has no such head. */
export interface HeadsGrid {
  readonly rows: readonly (readonly (HeadCell | null)[])[];
  readonly columns: number;
  /** Ends of the scale; both NaN while no value is known. */
  readonly smallest: number;
  readonly largest: number;
  readonly alike: boolean;
  /** Colours follow powers of ten. */
  readonly log: boolean;
}

const alikeLevel = 0.4;

/** The grid of a model's heads by one measure; undefined when no heads are known. */
export function headsGrid(
  heads: readonly HeadSize[],
  layers: number,
  measure: (head: HeadSize) => number | undefined,
  mayBeLog = false,
): HeadsGrid | undefined {
  if (!heads.length) return undefined;
  const columns = heads.reduce((most, { head }) => Math.max(most, head + 1), 0);
  const values = heads.map(measure);
  const known = values.filter(value => value !== undefined);
  const smallest = known.length ? known.reduce((least, value) => Math.min(least, value)) : Number.NaN;
  const largest = known.length ? known.reduce((most, value) => Math.max(most, value)) : Number.NaN;
  const range = largest - smallest;
  const scale = mayBeLog && range > 0 ? scaleOf(known) : undefined;
  const level = (value: number | undefined): number =>
    value === undefined ? 0 : scale ? scale.level(value) : range > 0 ? (value - smallest) / range : value === 0 ? 0 : alikeLevel;
  const rows: (HeadCell | null)[][] = Array.from({ length: layers }, () => Array.from({ length: columns }, () => null));
  heads.forEach((head, index) => {
    const row = rows[head.layer];
    if (row) row[head.head] = { ...head, value: values[index], level: level(values[index]) };
  });
  return { rows, columns, smallest, largest, alike: !(range > 0), log: scale?.log ?? false };
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
