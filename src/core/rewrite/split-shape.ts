import type { HeadCount } from './heads-in-graph.ts';

/**
 * A shape that splits into heads or puts them together, for another number of heads; undefined when it has none.
 * [batch, tokens, heads, width], [batch, tokens, 3, heads, width], [batch, tokens, heads * width]; 0 and -1 are left to the operator.
 */
export function renumbered(shape: readonly number[], heads: HeadCount): number[] | undefined {
  const { before, after, width } = heads;
  const place = headPlace(shape, heads);
  if (place !== undefined) return shape[place] === before ? shape.with(place, after) : undefined;
  const last = shape.length - 1;
  return shape.length <= 3 && shape[last] === before * width ? shape.with(last, after * width) : undefined;
}

/** Where the heads stand in a shape that has them: before their width, wherever that is left to be inferred; behind the batch in a turned one. */
export function headPlace(shape: readonly number[], { before, width }: HeadCount): number | undefined {
  const isHeads = (value: number | undefined) => value === before || value === -1;
  const isWidth = (value: number | undefined) => value === width || value === -1 || value === -2;
  const place = shape.length - 2;
  if (shape.length >= 4 && isHeads(shape[place]) && isWidth(shape[place + 1])) return place;
  if (shape.length === 4 && shape[1] === before && isWidth(shape[2])) return 1;
  return undefined;
}
