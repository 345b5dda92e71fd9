/** One way to have an item: what it takes and what it costs. */
export interface Choice {
  readonly bytes: number;
  readonly cost: number;
}

export interface Chosen {
  /** For each item the index of its choice. */
  readonly choices: readonly number[];
  readonly bytes: number;
  readonly cost: number;
}

/** A way to have the items so far. */
interface Way {
  readonly bytes: number;
  readonly cost: number;
  readonly before?: Way;
  readonly choice?: number;
}

/** Sums that are kept apart; layers of one size have a few hundred, and only unlike ones reach this. */
const MOST = 20_000;

/** One choice for each item, at least cost within the budget. undefined where even the smallest choices are too large. */
export const knapsack = (items: readonly (readonly Choice[])[], budget: number): Chosen | undefined =>
  chosenFrom(grown(items, budget, undominated));

/** One choice for each item, at least cost among those that take exactly so many bytes. undefined where none is found. */
export const exactKnapsack = (items: readonly (readonly Choice[])[], bytes: number): Chosen | undefined =>
  chosenFrom(grown(items, bytes, thinned).filter(way => way.bytes === bytes));

function grown(items: readonly (readonly Choice[])[], budget: number, kept: (ways: Way[], budget: number) => Way[]): Way[] {
  let ways: Way[] = [{ bytes: 0, cost: 0 }];
  for (const choices of items) {
    const bySum = new Map<number, Way>();
    for (const before of ways)
      choices.forEach((each, choice) => {
        const [bytes, cost] = [before.bytes + each.bytes, before.cost + each.cost];
        const known = bySum.get(bytes);
        if (bytes <= budget && !(known && known.cost <= cost)) bySum.set(bytes, { bytes, cost, before, choice });
      });
    ways = kept([...bySum.values()], budget);
  }
  return ways;
}

/** Without those that take more and cost as much. */
function undominated(ways: Way[], budget: number): Way[] {
  const kept: Way[] = [];
  for (const way of ways.sort((a, b) => a.bytes - b.bytes)) if (!(way.cost >= (kept.at(-1)?.cost ?? Infinity))) kept.push(way);
  return thinned(kept, budget);
}

/** The smallest of the sums that lie together, so that room is left for what follows. */
function thinned(ways: Way[], budget: number): Way[] {
  if (ways.length <= MOST) return ways;
  const kept = new Map<number, Way>();
  for (const way of ways) {
    const part = Math.floor((way.bytes / budget) * MOST);
    const known = kept.get(part);
    if (!known || way.bytes < known.bytes) kept.set(part, way);
  }
  return [...kept.values()];
}

function chosenFrom(ways: readonly Way[]): Chosen | undefined {
  const [first, ...others] = ways;
  if (!first) return undefined;
  const best = others.reduce((a, b) => (b.cost < a.cost ? b : a), first);
  const choices: number[] = [];
  for (let way: Way | undefined = best; way?.before; way = way.before) choices.unshift(way.choice!);
  return { choices, bytes: best.bytes, cost: best.cost };
}
