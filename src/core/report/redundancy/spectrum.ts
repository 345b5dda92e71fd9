import type { Linear, Table } from '../../anatomy/anatomy.ts';
import { type Sentence, sentence } from '../../errors.ts';
import { eigenvalues } from '../../kernels/eigenvalues.ts';
import type { Gram } from '../../kernels/gram.ts';
import type { Acting } from '../acting.ts';
import type { Spectrum } from '../redundancy.ts';
import { gramOf, gramWork } from './gram-of.ts';
import { MOST_HELD, type Pace } from './matrix.ts';

/** The smaller side of a matrix whose spectrum is found: the Gram matrix takes 128 MiB then, and the work grows with its cube. */
export const MOST_SIDE = 4096;

/** Points of the curve that are kept. */
const POINTS = 256;

/** The side of the Gram matrix to take: the smaller one, or the one asked for where there is room for it. */
export function sideOf({ rows, columns }: Acting, wanted?: 'rows' | 'columns'): 'rows' | 'columns' {
  if (wanted && (wanted === 'rows' ? rows : columns) <= MOST_SIDE) return wanted;
  return columns <= rows ? 'columns' : 'rows';
}

/** Multiplications that a spectrum takes, for the progress: the Gram matrix, then its eigenvalues. None where it is not found. */
export const workOf = (matrix: Acting, side: 'rows' | 'columns'): number =>
  canBe(matrix, side) ? gramWork(matrix[side], elementsOf(matrix)) + eigenWork(matrix[side]) : 0;

const elementsOf = ({ rows, columns }: Acting): number => rows * columns;
const eigenWork = (side: number): number => EIGEN * side ** 3;
/** Of an eigenvalue, in multiplications of a Gram matrix: measured at 384 and 768. */
const EIGEN = 2;

const canBe = (matrix: Acting, side: 'rows' | 'columns'): boolean =>
  Math.min(matrix.rows, matrix.columns) <= MOST_SIDE && (side === 'columns' || elementsOf(matrix) <= MOST_HELD);

export const tooWide = (): Sentence =>
  sentence('Its smaller side is over {most}: finding its spectrum would take too long.', { most: MOST_SIDE });
export const notFinite = (): Sentence => sentence('It holds values that are not finite.');

/**
 * The singular values of a matrix from the eigenvalues of its Gram matrix. Squaring loses half the digits of f64, which leaves 8:
 * values above 1e-4 of the largest one are within 1e-7 of LAPACK's.
 * `onGram` sees the Gram matrix before it is used up.
 */
export async function spectrumOf(
  organ: Linear | Table,
  matrix: Acting,
  gram: Gram,
  pace: Pace,
  { side, onGram }: { readonly side?: 'rows' | 'columns'; readonly onGram?: (values: Float64Array) => void } = {},
): Promise<Spectrum | Sentence> {
  const taken = sideOf(matrix, side);
  if (!canBe(matrix, taken)) return tooWide();
  await gramOf(gram, matrix, taken, { ...pace, done: work => pace.done(work, organ.id) });
  onGram?.(gram.values());
  const squares = await eigenvalues(gram, pace.pause);
  pace.done(eigenWork(matrix[taken]), organ.id);
  if (!squares.every(Number.isFinite)) return notFinite();
  const [out, width] = 'out' in organ ? [organ.out, organ.in] : [organ.rows, organ.width];
  return {
    id: organ.id,
    out,
    in: width,
    ...curveOf(squares.subarray(0, Math.min(out, width)), breakEven(out, width)),
    breakEven: breakEven(out, width),
  };
}

const breakEven = (out: number, width: number): number => Math.floor((out * width) / (out + width));

/**
 * What is kept of the squared singular values, largest first: points evenly along the curve, and those that are named. Rounding leaves
 * small negative squares: zeros.
 */
export function curveOf(squares: Float64Array, breakEven: number): Omit<Spectrum, 'id' | 'out' | 'in' | 'breakEven'> {
  const energies = squares.map(square => Math.max(0, square));
  const all = energies.reduce((sum, energy) => sum + energy, 0);
  let sum = 0;
  const sums = energies.map(energy => {
    sum += energy;
    return sum;
  });
  const rankOf = (share: number): number => {
    const found = sums.findIndex(each => each >= share * all);
    return all > 0 ? (found < 0 ? sums.length : found + 1) : 0;
  };
  const named = { rank90: rankOf(0.9), rank95: rankOf(0.95), rank99: rankOf(0.99) };
  const ranks = pointsOf(energies.length, [...Object.values(named), breakEven]);
  return {
    values: ranks.map(rank => Math.sqrt(energies[rank - 1]!)),
    ranks,
    kept: ranks.map(rank => (all > 0 ? Math.min(1, sums[rank - 1]! / all) : 1)),
    ...named,
  };
}

/** Ranks from 1 to `full`, ascending: POINTS of them at even steps, and the ones asked for. */
function pointsOf(full: number, also: readonly number[]): number[] {
  const count = Math.min(POINTS, full);
  const even = Array.from({ length: count }, (_, i) => (count === 1 ? 1 : 1 + Math.round((i * (full - 1)) / (count - 1))));
  const inside = also.filter(rank => rank >= 1 && rank <= full);
  return [...new Set([...even, ...inside])].sort((a, b) => a - b);
}
