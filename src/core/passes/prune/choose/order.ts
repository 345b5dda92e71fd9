import type { Fit } from '../fit.ts';
import { Elimination } from './elimination.ts';

/** Units in the order in which they go, and the squared error of all that went up to each. */
export interface Order {
  readonly units: readonly number[];
  readonly costs: readonly number[];
}

/** Neurons that go in one round: their costs are counted together, chosen one by one. */
const perRound = 32;

/**
 * The order in which `width` inputs at a time (a head, a neuron) cost least, greedily; `most` of them, so that one stays at least.
 * source  ZipLM (Kurtic et al., NeurIPS 2023), algorithm 1
 */
export async function removalOrder(
  fit: Fit,
  width: number,
  most: number,
  damping: number,
  pause?: () => Promise<void>,
): Promise<Order> {
  const elimination = await Elimination.of(fit, damping, pause);
  const [units, costs]: [number[], number[]] = [[], []];
  while (units.length < most) {
    await pause?.();
    const before = costs.at(-1) ?? 0;
    const round = width === 1 ? cheapestFew(elimination, most - units.length) : cheapestOne(elimination, width);
    const gone = round.map(place => elimination.columns[place]!);
    const alone = width === 1 ? singly(elimination, round) : [1];
    const cost = await elimination.remove(round, pause);
    for (const [k, part] of alone.entries()) {
      units.push(gone[k * width]! / width);
      costs.push(before + cost * part);
    }
  }
  return { units, costs };
}

/** How what a round costs grows with each of its inputs, by what they cost alone: up to 1. */
function singly(elimination: Elimination, round: readonly number[]): number[] {
  const costs = elimination.costs();
  const total = round.reduce((sum, place) => sum + costs[place]!, 0);
  let sum = 0;
  return round.map((place, k) => {
    sum += costs[place]!;
    return k === round.length - 1 || !(total > 0) ? 1 : sum / total;
  });
}

function cheapestFew(elimination: Elimination, most: number): number[] {
  const costs = elimination.costs();
  const places = Array.from(costs, (_, place) => place);
  places.sort((a, b) => costs[a]! - costs[b]! || a - b);
  return places.slice(0, Math.min(perRound, most));
}

/** Inputs of a unit stay together: the units that are left lie `width` apart. */
function cheapestOne(elimination: Elimination, width: number): number[] {
  let [best, least]: [number[], number] = [[], Infinity];
  for (let start = 0; start < elimination.columns.length; start += width) {
    const places = Array.from({ length: width }, (_, i) => start + i);
    const cost = elimination.cost(places);
    if (best.length === 0 || cost < least) [best, least] = [places, cost];
  }
  return best;
}
