import type { Linear } from '../../anatomy/anatomy.ts';
import { mostRank, rankOf } from './ranks.ts';

/** What a matrix loses at each rank. */
export interface Spending {
  readonly linear: Pick<Linear, 'out' | 'in'>;
  /** Singular values, largest first: at rank r the squares behind it are lost. */
  readonly values: ArrayLike<number>;
  /** What the whole model loses by one unit of these squares. */
  readonly loss: number;
}

/** A rank stays within these of the one that every matrix would get: what is measured for one matrix alone says little far from there. */
const LEAST = 0.6;
const MOST = 1.6;

/**
 * Ranks with at most `ratio` of all parameters in all, so that the losses sum up to the least: the next rank goes where it takes away
 * most for each parameter. A matrix that would grow gets no more.
 */
export function spend(matrices: readonly Spending[], ratio: number): number[] {
  const uniform = matrices.map(({ linear }) => rankOf(ratio, linear));
  const most = matrices.map(({ linear }, i) => Math.min(mostRank(linear), Math.ceil(MOST * uniform[i]!)));
  const ranks = uniform.map((rank, i) => Math.max(1, Math.min(most[i]!, Math.floor(LEAST * rank))));
  const cost = matrices.map(({ linear }) => linear.out + linear.in);
  let left = Math.floor(ratio * matrices.reduce((sum, { linear }) => sum + linear.out * linear.in, 0));
  for (const [i, rank] of ranks.entries()) left -= rank * cost[i]!;
  const gain = (i: number) => (matrices[i]!.loss * (matrices[i]!.values[ranks[i]!] ?? 0) ** 2) / cost[i]!;
  const open = new Set(ranks.keys());
  while (open.size > 0) {
    let best = -1;
    for (const i of open) if (ranks[i]! >= most[i]! || cost[i]! > left) open.delete(i);
    for (const i of open) if (best < 0 || gain(i) > gain(best)) best = i;
    if (best < 0) break;
    ranks[best]!++;
    left -= cost[best]!;
  }
  return ranks;
}
