import type { Linear } from '../../anatomy/anatomy.ts';
import type { CompactKind } from '../../anatomy/compact.ts';
import { type Sentence, sentence } from '../../errors.ts';

type Sides = Pick<Linear, 'out' | 'in'>;
type Shape3 = readonly [number, number, number];

/** Sides of the two factors of a Kronecker product: p1 p2 outputs, q1 q2 inputs. */
export interface KroneckerSides {
  readonly p1: number;
  readonly q1: number;
  readonly p2: number;
  readonly q2: number;
}

/**
 * The sides that make a term smallest: the two factors as alike in size as the divisors allow, the second the larger.
 * 768 x 768: 24 x 32 and 32 x 24, 1,536 numbers a term, 768 terms at most.
 */
export function kroneckerSides({ out, in: width }: Sides): KroneckerSides {
  let best: KroneckerSides = { p1: 1, q1: 1, p2: out, q2: width };
  const size = ({ p1, q1, p2, q2 }: KroneckerSides) => p1 * q1 + p2 * q2;
  // Of sides with as many numbers a term, those nearest to squares.
  const uneven = ({ p1, q1, p2, q2 }: KroneckerSides) =>
    Math.abs(Math.log((p1 * width) / (q1 * out))) + Math.abs(Math.log((p2 * width) / (q2 * out)));
  for (let p1 = 1; p1 <= out; p1++) {
    if (out % p1 !== 0) continue;
    for (let q1 = 1; q1 <= width; q1++) {
      if (width % q1 !== 0) continue;
      const sides = { p1, q1, p2: out / p1, q2: width / q1 };
      if (p1 * q1 > sides.p2 * sides.q2) continue;
      if (size(sides) < size(best) || (size(sides) === size(best) && uneven(sides) < uneven(best))) best = sides;
    }
  }
  return best;
}

/** Shapes of the parts, [inputs, terms, outputs], with so many terms. */
export const kroneckerShapes = ({ p1, q1, p2, q2 }: KroneckerSides, terms: number): readonly [Shape3, Shape3] => [
  [q1, terms, p1],
  [q2, terms, p2],
];

/** Blocks [groups, inputs, outputs] and the thin pair [in, 1, rank], [rank, 1, out]. */
export const blockShapes = ({ out, in: width }: Sides, groups: number, rank: number): readonly [Shape3, Shape3, Shape3] => [
  [groups, width / groups, out / groups],
  [width, 1, rank],
  [rank, 1, out],
];

/** Numbers in a form of this rank: rank x (p1 q1 + p2 q2), or in x out / groups + rank x (in + out). */
export function compactParameters(kind: CompactKind, sides: Sides, rank: number, groups: number): number {
  if (kind === 'block-diagonal') return (sides.out * sides.in) / groups + rank * (sides.out + sides.in);
  const { p1, q1, p2, q2 } = kroneckerSides(sides);
  return rank * (p1 * q1 + p2 * q2);
}

/** The largest rank with at most this share of the matrix's numbers; 0 where the blocks alone take more. */
export function compactRank(kind: CompactKind, sides: Sides, ratio: number, groups: number): number {
  const fixed = compactParameters(kind, sides, 0, groups);
  const each = compactParameters(kind, sides, 1, groups) - fixed;
  return Math.max(kind === 'kronecker' ? 1 : 0, Math.floor((ratio * sides.out * sides.in - fixed) / each));
}

/** Why a matrix is left alone, if it is. */
export function compactGrowing(kind: CompactKind, sides: Sides, rank: number, groups: number): Sentence | undefined {
  const { out, in: width } = sides;
  if (kind === 'block-diagonal' && (out % groups !== 0 || width % groups !== 0))
    return sentence('{out} x {in} cannot be divided into {groups} blocks.', { out, in: width, groups });
  if (rank < 1)
    return sentence('{groups} blocks alone take the whole share of its parameters. Give a larger ratio, or more blocks.', {
      groups,
    });
  const { p1, q1, p2, q2 } = kroneckerSides(sides);
  const full = kind === 'kronecker' ? Math.min(p1 * q1, p2 * q2) : Math.min(out, width);
  if (rank > full)
    return kind === 'kronecker'
      ? sentence('{rank} terms are more than it has: as Kronecker products {out} x {in} has {full}.', {
          rank,
          out,
          in: width,
          full,
        })
      : sentence('Rank {rank} is more than it has: a matrix of {out} x {in} has {full}.', { rank, out, in: width, full });
  const parameters = compactParameters(kind, sides, rank, groups);
  if (parameters < out * width) return undefined;
  return sentence('Rank {rank} would not make it smaller: {parameters} parameters in place of {whole}.', {
    rank,
    parameters,
    whole: out * width,
  });
}
