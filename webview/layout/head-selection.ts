import type { HeadSize } from '../../src/core/report/tree.ts';
import type { HeadsGrid } from './heads-grid.ts';

// Which heads of the grid are selected, as plain values: "layer head".

export type HeadKey = `${number} ${number}`;
export type HeadSelection = ReadonlySet<HeadKey>;

export interface HeadPlace {
  readonly layer: number;
  readonly head: number;
}

export const keyOf = ({ layer, head }: HeadPlace): HeadKey => `${layer} ${head}`;

/** The heads of the rectangle between two places; empty places of a ragged model are none. */
export function between({ rows }: Pick<HeadsGrid, 'rows'>, a: HeadPlace, b: HeadPlace): HeadKey[] {
  const [top, bottom] = [Math.min(a.layer, b.layer), Math.max(a.layer, b.layer)];
  const [left, right] = [Math.min(a.head, b.head), Math.max(a.head, b.head)];
  return rows.slice(top, bottom + 1).flatMap(row =>
    row
      .slice(left, right + 1)
      .filter(cell => cell !== null)
      .map(keyOf),
  );
}

/** Every head of a layer. */
export const headsOfLayer = ({ rows }: Pick<HeadsGrid, 'rows'>, layer: number): HeadKey[] =>
  (rows[layer] ?? []).filter(cell => cell !== null).map(keyOf);

export const everyHead = ({ rows }: Pick<HeadsGrid, 'rows'>): HeadKey[] =>
  rows.flatMap((_, layer) => headsOfLayer({ rows }, layer));

export const joined = (selection: HeadSelection, keys: readonly HeadKey[]): HeadSelection => new Set([...selection, ...keys]);

/** Takes the keys out when all of them are in, else puts them in. */
export function toggled(selection: HeadSelection, keys: readonly HeadKey[]): HeadSelection {
  if (!keys.every(key => selection.has(key))) return joined(selection, keys);
  const rest = new Set(selection);
  for (const key of keys) rest.delete(key);
  return rest;
}

/** What removing the selected heads would remove, and what stands in the way. */
export interface Pruning {
  /** Heads by layer, as a recipe names them. */
  readonly remove: Readonly<Record<string, readonly number[]>>;
  readonly heads: readonly HeadSize[];
  readonly parameters: number;
  readonly byteLength: number;
  /** Layers that would lose their last head. */
  readonly emptied: readonly number[];
  /** Nothing but whole layers is selected, and not all of them. */
  readonly wholeLayers: boolean;
}

export function pruningOf({ rows }: Pick<HeadsGrid, 'rows'>, selection: HeadSelection): Pruning {
  const heads: HeadSize[] = [];
  const remove: Record<string, number[]> = {};
  const emptied: number[] = [];
  rows.forEach((row, layer) => {
    const there = row.filter(cell => cell !== null);
    const gone = there.filter(cell => selection.has(keyOf(cell)));
    if (gone.length === 0) return;
    heads.push(...gone);
    remove[layer] = gone.map(({ head }) => head);
    if (gone.length === there.length) emptied.push(layer);
  });
  return {
    remove,
    heads,
    parameters: heads.reduce((sum, head) => sum + head.parameters, 0),
    byteLength: heads.reduce((sum, head) => sum + head.byteLength, 0),
    emptied,
    wholeLayers: emptied.length > 0 && emptied.length === Object.keys(remove).length && emptied.length < rows.length,
  };
}
