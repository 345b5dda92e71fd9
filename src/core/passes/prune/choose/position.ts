/** Where layers go: 'every-other' from the last but one down, 'top' the last ones, 'bottom' the first ones. */
export type Position = 'every-other' | 'top' | 'bottom';

/**
 * The layers that go by their place alone, ascending.
 * source  Sajjad et al., On the Effect of Dropping Layers of Pre-trained Transformer Models, CSL 2023: top, bottom and odd alternate dropping
 */
export function byPosition(layers: number, count: number, position: Position): number[] {
  const all = Array.from({ length: layers }, (_, layer) => layer);
  if (position === 'top') return all.slice(layers - count);
  if (position === 'bottom') return all.slice(0, count);
  const down = all.toReversed();
  const alternate = down.filter(layer => (layers - layer) % 2 === 0);
  // More than half: then those between, the last one last of all.
  const others = down.filter(layer => (layers - layer) % 2 === 1 && layer !== layers - 1);
  return [...alternate, ...others, layers - 1].slice(0, count).sort((a, b) => a - b);
}
