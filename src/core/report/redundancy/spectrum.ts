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
    ...curveOf(squares.subarray(0, Math.min(out, width))),
    breakEven: breakEven(out, width),
  };
}

const breakEven = (out: number, width: number): number => Math.floor((out * width) / (out + width));

/** What is kept of the squared singular values, largest first. Rounding leaves small negative ones: zeros. */
export function curveOf(squares: Float64Array): Omit<Spectrum, 'id' | 'out' | 'in' | 'breakEven'> {
  const energies = squares.map(square => Math.max(0, square));
  const all = energies.reduce((sum, energy) => sum + energy, 0);
  const rankOf = (share: number): number => {
    let [rank, sum] = [0, 0];
    while (rank < energies.length && sum < share * all) sum += energies[rank++]!;
    return rank;
  };
  const count = Math.min(POINTS, energies.length);
  const places = Array.from({ length: count }, (_, i) =>
    count === 1 ? 0 : Math.round((i * (energies.length - 1)) / (count - 1)),
  );
  let sum = 0;
  const sums = energies.map(energy => (sum += energy));
  return {
    values: places.map(place => Math.sqrt(energies[place]!)),
    ranks: places.map(place => place + 1),
    kept: places.map(place => (all > 0 ? Math.min(1, sums[place]! / all) : 1)),
    rank90: rankOf(0.9),
    rank95: rankOf(0.95),
    rank99: rankOf(0.99),
  };
}
