/** CSS pixels of a cell: a name fits beside it up to this many tokens, then cells shrink, and long texts scroll. */
const sizes = [
  { tokens: 24, cell: 20 },
  { tokens: 48, cell: 16 },
  { tokens: Number.POSITIVE_INFINITY, cell: 12 },
] as const;

export const cellSize = (tokens: number): number => sizes.find(size => tokens <= size.tokens)!.cell;

/** Of a small map among those of all heads; at least a pixel a token. */
export const smallSize = (tokens: number): number => Math.max(1, Math.floor(132 / tokens)) * tokens;

export interface TokenPair {
  /** The token that looks. */
  readonly from: number;
  /** The token that is looked at. */
  readonly to: number;
}

/** Where a key leads from a cell; undefined for a key that leads nowhere. */
export function nextPair({ from, to }: TokenPair, key: string, tokens: number): TokenPair | undefined {
  const last = tokens - 1;
  const move: Readonly<Record<string, TokenPair>> = {
    ArrowUp: { from: from - 1, to },
    ArrowDown: { from: from + 1, to },
    ArrowLeft: { from, to: to - 1 },
    ArrowRight: { from, to: to + 1 },
    Home: { from, to: 0 },
    End: { from, to: last },
    PageUp: { from: 0, to },
    PageDown: { from: last, to },
  };
  const next = move[key];
  if (!next) return undefined;
  const inside = (at: number): number => Math.max(0, Math.min(last, at));
  return { from: inside(next.from), to: inside(next.to) };
}

/** The tokens that one looks at most, most first. */
export function mostLookedAt(weights_TT: readonly number[], tokens: number, from: number, most: number): readonly number[] {
  const row = weights_TT.slice(from * tokens, (from + 1) * tokens);
  return row
    .map((_, to) => to)
    .sort((a, b) => row[b]! - row[a]! || a - b)
    .slice(0, most);
}

interface Heads {
  readonly heads: readonly { readonly head: number; readonly weights_TT: readonly number[] }[];
}

/** Of the heads that are shown, in every model: what the full colour stands for. 1 where there is none. */
export function largestWeight(maps: readonly (Heads | null)[], head: number | null): number {
  let most = 0;
  for (const each of maps)
    for (const one of each?.heads ?? [])
      if (head === null || one.head === head) for (const weight of one.weights_TT) if (weight > most) most = weight;
  return most || 1;
}
