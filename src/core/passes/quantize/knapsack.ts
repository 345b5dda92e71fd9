/** One way to have an item: what it takes and what it costs. */
export interface Choice {
  readonly bytes: number;
  readonly cost: number;
}

/** Parts a budget is counted in: a choice takes whole ones, so that the sum never exceeds the budget. */
const PARTS = 4000;

/**
 * One choice for each item, so that as much of the budget is used as can be, and among the ways to use it the one that costs least.
 * What is used does not depend on the costs. undefined where even the smallest choices are too large.
 */
export function knapsack(items: readonly (readonly Choice[])[], budget: number): number[] | undefined {
  const unit = budget / PARTS;
  let best: (Chosen | undefined)[] = [{ cost: 0 }];
  for (const choices of items) {
    const next: (Chosen | undefined)[] = [];
    best.forEach((before, used) => {
      if (!before) return;
      choices.forEach(({ bytes, cost }, choice) => {
        const at = used + Math.ceil(bytes / unit - 1e-9);
        const sum = before.cost + cost;
        if (at <= PARTS && !(next[at] && next[at].cost <= sum)) next[at] = { cost: sum, before, choice };
      });
    });
    best = next;
  }
  const chosen: number[] = [];
  for (let last = best.findLast(it => it !== undefined); last?.before; last = last.before) chosen.unshift(last.choice!);
  return chosen.length === items.length ? chosen : undefined;
}

interface Chosen {
  readonly cost: number;
  readonly before?: Chosen;
  readonly choice?: number;
}
