import type { Similarity } from '../../src/core/report/redundancy.ts';

// Which of several alike things could stand for the others.

export interface Pair {
  readonly a: number;
  readonly b: number;
  readonly cosine: number;
}

/** Every two of them, most alike first. */
export function pairsOf({ size, cosines }: Similarity): Pair[] {
  const pairs: Pair[] = [];
  for (let a = 0; a < size; a++) for (let b = a + 1; b < size; b++) pairs.push({ a, b, cosine: cosines[a * size + b]! });
  return pairs.sort((one, other) => other.cosine - one.cosine);
}

/** The largest cosine of two that are not the same, by size; 0 where there is none. */
export const mostOf = (similarity: Similarity): number =>
  pairsOf(similarity).reduce((most, { cosine }) => Math.max(most, Math.abs(cosine)), 0);

/**
 * What replacing each of a group by their mean changes, as a share of their weights: the square root of what of their energy the mean
 * does not hold. 0 for equal ones, 0.71 for two that have nothing to do with each other.
 */
export function lossOfSharing({ size, cosines, energies }: Similarity, group: readonly number[]): number {
  const energy = (at: number): number => energies?.[at] ?? 1;
  let [together, apart] = [0, 0];
  for (const a of group) {
    apart += energy(a);
    for (const b of group) together += cosines[a * size + b]! * Math.sqrt(energy(a) * energy(b));
  }
  return apart > 0 ? Math.sqrt(Math.max(0, 1 - together / (group.length * apart))) : 0;
}

/** Groups, each grown from its most alike two, as long as sharing changes their weights by no more than `most`. */
export function sharingGroups(similarity: Similarity, most: number): number[][] {
  let groups = Array.from({ length: similarity.size }, (_, at) => [at]);
  for (;;) {
    let best: { loss: number; a: number[]; b: number[] } | undefined;
    for (const [at, a] of groups.entries())
      for (const b of groups.slice(at + 1)) {
        const loss = lossOfSharing(similarity, [...a, ...b]);
        if (loss <= most && loss < (best?.loss ?? Number.POSITIVE_INFINITY)) best = { loss, a, b };
      }
    if (!best) return groups.filter(group => group.length > 1);
    const { a, b } = best;
    groups = [...groups.filter(group => group !== a && group !== b), [...a, ...b].sort((one, other) => one - other)];
  }
}

/** The groups with one more, of everything between two places; a thing is in one group at most, and no group has fewer than two. */
export function withGroup(groups: readonly (readonly number[])[], a: number, b: number): number[][] {
  const [first, last] = [Math.min(a, b), Math.max(a, b)];
  const group = Array.from({ length: last - first + 1 }, (_, at) => first + at);
  const others = groups.map(each => each.filter(at => at < first || at > last));
  return [...others, group].filter(each => each.length > 1).sort((one, other) => one[0]! - other[0]!);
}
