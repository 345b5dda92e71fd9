import type { Gram } from './gram.ts';
import type { SymmetricMemory } from './symmetric.ts';

// Eigenvalues of a symmetric matrix: Householder reduction to a tridiagonal one, then implicit QL.
// Source: Martin, Reinsch, Wilkinson 1968 and Dubrulle, Martin, Wilkinson 1968 (EISPACK tred1 and imtql1).

/** Elements worked on between two pauses: some 10 ms. */
const STEP = 8e6;

/**
 * The eigenvalues of a Gram matrix, largest first; the matrix is used up.
 * `pause` is awaited between steps: what it throws ends the work.
 */
export async function eigenvalues(gram: Gram, pause: () => Promise<void>): Promise<Float64Array> {
  const { diagonal, beside } = await tridiagonal(gram.size, gram.place, pause);
  return implicitQL(diagonal, beside).sort().reverse();
}

/** What a symmetric matrix becomes between two orthogonal ones: a diagonal and the values beside it. */
export interface Tridiagonal {
  readonly diagonal: Float64Array;
  readonly beside: Float64Array;
  /** Half the squared length of the reflector of each row; 0 where there is none. The first elements of row i of the matrix are its reflector. */
  readonly halves: Float64Array;
}

/** Rows are `stride` elements, `vectors` has room for two of `stride`; the lower triangle is used up. */
export async function tridiagonal(
  size: number,
  { memory, kernels, matrix, stride, vectors }: SymmetricMemory & Pick<Gram['place'], 'matrix' | 'stride' | 'vectors'>,
  pause: () => Promise<void>,
): Promise<Tridiagonal> {
  const [diagonal, beside, halves] = [new Float64Array(size), new Float64Array(size), new Float64Array(size)];
  const [u, q] = [vectors, vectors + stride];
  let worked = 0;
  for (let i = size - 1; i > 0; i--) {
    const row = memory.subarray(matrix + i * stride, matrix + i * stride + i);
    diagonal[i] = memory[matrix + i * stride + i]!;
    let squares = 0;
    for (const value of row) squares += value * value;
    const last = row[i - 1]!;
    if (i === 1 || squares - last * last <= 0) {
      beside[i - 1] = last;
      continue;
    }
    const length = last >= 0 ? -Math.sqrt(squares) : Math.sqrt(squares);
    beside[i - 1] = length;
    const half = squares - last * length; // |u|^2 / 2
    halves[i] = half;
    row[i - 1] = last - length;
    memory.set(row, u);
    memory.fill(0, q, q + i);
    kernels.symmetricProduct(matrix, stride, 0, i, u, q);
    let along = 0;
    for (let k = 0; k < i; k++) along += memory[u + k]! * memory[q + k]!;
    along /= 2 * half * half;
    for (let k = 0; k < i; k++) memory[q + k] = memory[q + k]! / half - along * memory[u + k]!;
    kernels.rankTwoUpdate(matrix, stride, 0, i, u, q);
    worked += i * i;
    if (worked > STEP) {
      worked = 0;
      await pause();
    }
  }
  if (size > 0) diagonal[0] = memory[matrix]!;
  return { diagonal, beside, halves };
}

/** Rounds needed for one eigenvalue are two or three; without numbers that are finite there is no end. */
const MOST_ROUNDS = 60;

/** The plane rotations of a step: rows i and i + 1 by the angle whose cosine and sine are turns[2 i] and turns[2 i + 1], i from last - 1 down to first. */
export interface Rotations {
  readonly turns: Float64Array;
  apply(first: number, last: number): void;
}

/** `d` becomes the eigenvalues, in no order. */
export function implicitQL(d: Float64Array, e: Float64Array, rotations?: Rotations): Float64Array {
  const size = d.length;
  for (let l = 0; l < size; l++) {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      let m = l;
      for (; m < size - 1; m++) {
        const near = Math.abs(d[m]!) + Math.abs(d[m + 1]!);
        if (Math.abs(e[m]!) <= Number.EPSILON * near) break;
      }
      if (m === l) break;
      const first = chase(d, e, l, m, rotations?.turns);
      rotations?.apply(first, m);
    }
  }
  return d;
}

/** One implicit QL step on the rows [l, m]; returns the first row that was turned. */
function chase(d: Float64Array, e: Float64Array, l: number, m: number, turns?: Float64Array): number {
  let g = (d[l + 1]! - d[l]!) / (2 * e[l]!);
  let r = hypotenuse(g, 1);
  g = d[m]! - d[l]! + e[l]! / (g + (g >= 0 ? r : -r));
  let [s, c, p] = [1, 1, 0];
  for (let i = m - 1; i >= l; i--) {
    const f = s * e[i]!;
    const b = c * e[i]!;
    r = hypotenuse(f, g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1] = d[i + 1]! - p;
      e[m] = 0;
      return i + 1;
    }
    s = f / r;
    c = g / r;
    if (turns) {
      turns[2 * i] = c;
      turns[2 * i + 1] = s;
    }
    g = d[i + 1]! - p;
    r = (d[i]! - g) * s + 2 * c * b;
    p = s * r;
    d[i + 1] = g + p;
    g = c * r - b;
  }
  d[l] = d[l]! - p;
  e[l] = g;
  e[m] = 0;
  return l;
}

/** Math.hypot is some ten times slower, and eigenvalues of weights are far from the ends of f64. */
const hypotenuse = (a: number, b: number): number => Math.sqrt(a * a + b * b);
