import type { Linear } from '../../anatomy/anatomy.ts';
import { fail, type Sentence, sentence } from '../../errors.ts';

/** How many parameters stay, said in one of three ways. */
export interface Budget {
  readonly rank: number | null;
  readonly ratio: number | null;
  readonly energy: number | null;
}

/** What is meant when nothing is said. */
const USUAL_RATIO = 0.6;

/** throws 'bad-recipe' where two are given */
export function checkBudget({ rank, ratio, energy }: Budget, file: string): Budget {
  const given = Object.entries({ rank, ratio, energy }).filter(([, value]) => value !== null);
  if (given.length > 1)
    throw fail('bad-recipe', 'Give {one} or {other}, not both.', { one: given[0]![0], other: given[1]![0] }, { file });
  return given.length === 0 ? { rank, ratio: USUAL_RATIO, energy } : { rank, ratio, energy };
}

type Sides = Pick<Linear, 'out' | 'in'>;

/** The largest rank with at most this share of the matrix's parameters; at least 1. */
export const rankOf = (ratio: number, { out, in: width }: Sides): number =>
  Math.max(1, Math.floor((ratio * out * width) / (out + width)));

/** The largest rank that makes a matrix smaller: rank (in + out) < in out. 767 x 768 / (767 + 768) for BERT-base's attention: 383. */
export const mostRank = ({ out, in: width }: Sides): number => Math.ceil((out * width) / (out + width)) - 1;

/** The smallest rank whose squared singular values are this share of all. */
export function rankOfEnergy(values: ArrayLike<number>, energy: number): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]! ** 2;
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    sum += values[i]! ** 2;
    if (sum >= energy * total) return i + 1;
  }
  return Math.max(1, values.length);
}

/** Why a matrix is left alone at this rank, if it is. */
export function growing(rank: number, { out, in: width }: Sides): Sentence | undefined {
  const full = Math.min(out, width);
  if (rank > full)
    return sentence('Rank {rank} is more than it has: a matrix of {out} x {in} has {full}.', { rank, out, in: width, full });
  if (rank <= mostRank({ out, in: width })) return undefined;
  return sentence(
    'Rank {rank} would not make it smaller: {rank} x ({in} + {out}) is not less than {in} x {out}. Up to {most} it is.',
    {
      rank,
      in: width,
      out,
      most: mostRank({ out, in: width }),
    },
  );
}
