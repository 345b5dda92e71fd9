/** One way to have an item: what it takes and what it costs. */
export interface Choice {
  readonly bytes: number;
  readonly cost: number;
}

interface Chosen {
  readonly cost: number;
  readonly before?: Chosen;
  readonly choice?: number;
}

/** Sums that are kept apart; layers of one size have a few hundred, and only unlike ones reach this. */
const MOST = 20_000;

/**
 * One choice for each item, so that as much of the budget is used as can be, and among the ways to use it the one that costs least.
 * What is used does not depend on the costs. undefined where even the smallest choices are too large.
 */
export function knapsack(items: readonly (readonly Choice[])[], budget: number): number[] | undefined {
  let best = new Map<number, Chosen>([[0, { cost: 0 }]]);
  for (const choices of items) {
    const next = new Map<number, Chosen>();
    for (const [used, before] of best)
      choices.forEach(({ bytes, cost }, choice) => {
        const sum = before.cost + cost;
        const known = next.get(used + bytes);
        if (used + bytes <= budget && !(known && known.cost <= sum)) next.set(used + bytes, { cost: sum, before, choice });
      });
    best = thinned(next, budget);
  }
  const [, most] = [...best].reduce((a, b) => (b[0] > a[0] ? b : a), [-1, undefined] as readonly [number, Chosen | undefined]);
  const chosen: number[] = [];
  for (let last = most; last?.before; last = last.before) chosen.unshift(last.choice!);
  return chosen.length === items.length ? chosen : undefined;
}

/** The smallest of the sums that lie together, so that room is left for what follows. */
function thinned(sums: Map<number, Chosen>, budget: number): Map<number, Chosen> {
  if (sums.size <= MOST) return sums;
  const kept = new Map<number, readonly [number, Chosen]>();
  for (const sum of sums) {
    const part = Math.floor((sum[0] / budget) * MOST);
    const known = kept.get(part);
    if (!known || sum[0] < known[0]) kept.set(part, sum);
  }
  return new Map(kept.values());
}
