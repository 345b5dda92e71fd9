import { implicitQL, tridiagonal } from '../eigenvalues.ts';
import { openSymmetric } from '../symmetric.ts';
import type { Eigen } from './eigen.ts';
import { fours, openLinearAlgebra } from './memory.ts';

/** Reflectors applied, or vectors found, between two pauses. */
const STEP = 32;

/** Vectors whose values are nearer than this share of the matrix's size are made orthogonal; others are, to f32 and beyond. */
const CLUSTER = 1e-7;

/** Rounds of inverse iteration: the first gives the vector, the others its last digits. */
const ROUNDS = 3;

/** Where f32 is enough: a vector that one round made longer than this, over the matrix's size, has what lies beside its cluster to 1e-5. */
const GROWTH = 1e12;

/**
 * All eigenvalues of the symmetric a [n, n], largest first, and the vectors of the `count` largest, [count, n]: half of symmetricEigen's
 * time where half of them are wanted. Those whose values are at most `least` of the largest are zeros. The lower triangle is read. `pause` is awaited between steps: what it throws ends the work.
 * Source: EISPACK tred2, imtql1 and tinvit; clusters as in LAPACK's dstein. Memory: 8 n (n + count) bytes of WebAssembly beside the result.
 */
export async function topEigen(
  a: Float64Array,
  n: number,
  count: number,
  least = 0,
  pause: () => Promise<void> = async () => {},
): Promise<Eigen> {
  const stride = fours(n);
  const place = { ...openSymmetric(stride * stride + 2 * stride), matrix: 0, stride, vectors: stride * stride };
  for (let r = 0; r < n; r++) place.memory.set(a.subarray(r * n, r * n + r + 1), r * stride);
  const { diagonal, beside, halves } = await tridiagonal(n, place, pause);
  const values = implicitQL(Float64Array.from(diagonal), Float64Array.from(beside)).sort().reverse();
  const { memory, kernels } = openLinearAlgebra(count * stride + stride);
  const extra = count * stride;
  await inverseIteration(diagonal, beside, values.subarray(0, Math.min(count, worthwhile(values, least))), memory, stride, pause);
  for (let i = 1; i < n; i++) {
    if (i % STEP === 0) await pause();
    if (halves[i] === 0) continue;
    memory.set(place.memory.subarray(i * stride, i * stride + i), extra);
    memory[extra + i] = 0;
    kernels.reflectRows(0, stride, count, extra, i + (i & 1), halves[i]!);
  }
  const vectors = new Float64Array(count * n);
  for (let r = 0; r < count; r++) vectors.set(memory.subarray(r * stride, r * stride + n), r * n);
  return { values, vectors };
}

/** How many are more than `least` of the largest; all when nothing is asked. */
function worthwhile(values: Float64Array, least: number): number {
  if (least === 0) return values.length;
  const first = values.findIndex(value => !(value > least * values[0]!));
  return first < 0 ? values.length : first;
}

/** Row k of `rows` becomes the unit vector of values[k] of the tridiagonal matrix with diagonal d and e beside it. */
export async function inverseIteration(
  d: Float64Array,
  e: Float64Array,
  values: Float64Array,
  rows: Float64Array,
  stride: number,
  pause: () => Promise<void>,
  digits: 'f64' | 'f32' = 'f64',
): Promise<void> {
  const n = d.length;
  let size = 0;
  for (let i = 0; i < n; i++) size = Math.max(size, Math.abs(d[i]!) + 2 * Math.abs(e[i] ?? 0));
  const solver = new TridiagonalSolver(d, e, size * Number.EPSILON || 1);
  let [first, shift, state] = [0, Number.POSITIVE_INFINITY, 1];
  for (const [k, value] of values.entries()) {
    if (k % STEP === 0) await pause();
    if (k > 0 && values[k - 1]! - value > CLUSTER * size) first = k;
    // Equal values would give the same vector: each is asked for a little below the one before.
    shift = Math.min(value, k > first ? shift - 10 * Number.EPSILON * size : Number.POSITIVE_INFINITY);
    const x = rows.subarray(k * stride, k * stride + n);
    for (let i = 0; i < n; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      x[i] = state / 2 ** 32 - 0.5;
    }
    solver.factor(shift);
    normalize(x);
    for (let round = 0; round < ROUNDS; round++) {
      solver.solve(x);
      const grown = normalize(x);
      for (let other = first; other < k; other++) subtract(x, rows.subarray(other * stride, other * stride + n));
      if (k > first) normalize(x);
      else if (digits === 'f32' && grown * size > GROWTH) break;
    }
  }
}

function subtract(x: Float64Array, other: Float64Array): void {
  let along = 0;
  for (let i = 0; i < x.length; i++) along += x[i]! * other[i]!;
  for (let i = 0; i < x.length; i++) x[i]! -= along * other[i]!;
}

/** Returns how long it was. */
function normalize(x: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < x.length; i++) largest = Math.max(largest, Math.abs(x[i]!));
  let squares = 0;
  const down = 1 / largest;
  for (let i = 0; i < x.length; i++) squares += (x[i]! * down) ** 2;
  const length = largest * Math.sqrt(squares);
  const scale = 1 / length;
  for (let i = 0; i < x.length; i++) x[i]! *= scale;
  return length;
}

/** T - shift = P L U with rows exchanged, for symmetric tridiagonal T. Has a life because its arrays are used again for each shift. */
class TridiagonalSolver {
  readonly #d: Float64Array;
  readonly #e: Float64Array;
  /** What stands for a pivot of 0. */
  readonly #least: number;
  /** One over each pivot. */
  readonly #pivot: Float64Array;
  readonly #above: Float64Array;
  readonly #farAbove: Float64Array;
  readonly #factor: Float64Array;
  readonly #isSwapped: Uint8Array;

  constructor(d: Float64Array, e: Float64Array, least: number) {
    const n = d.length;
    this.#d = d;
    this.#e = e;
    this.#least = least;
    [this.#pivot, this.#above, this.#farAbove, this.#factor] = [0, 0, 0, 0].map(() => new Float64Array(n)) as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    this.#isSwapped = new Uint8Array(n);
  }

  factor(shift: number): void {
    const [d, e] = [this.#d, this.#e];
    const n = d.length;
    let [pivot, above] = [d[0]! - shift, e[0] ?? 0];
    for (let i = 0; i < n - 1; i++) {
      const below = e[i]!;
      const [next, nextAbove] = [d[i + 1]! - shift, i + 2 < n ? e[i + 1]! : 0];
      const isSwapped = Math.abs(below) > Math.abs(pivot);
      this.#isSwapped[i] = isSwapped ? 1 : 0;
      if (isSwapped) {
        const factor = pivot / below;
        this.#set(i, below, next, nextAbove, factor);
        [pivot, above] = [above - factor * next, -factor * nextAbove];
      } else {
        const held = this.#held(pivot);
        const factor = below / held;
        this.#set(i, held, above, 0, factor);
        [pivot, above] = [next - factor * above, nextAbove];
      }
    }
    this.#set(n - 1, this.#held(pivot), 0, 0, 0);
  }

  #held(pivot: number): number {
    return Math.abs(pivot) < this.#least ? this.#least : pivot;
  }

  #set(i: number, pivot: number, above: number, farAbove: number, factor: number): void {
    this.#pivot[i] = 1 / pivot;
    this.#above[i] = above;
    this.#farAbove[i] = farAbove;
    this.#factor[i] = factor;
  }

  /** x becomes (T - shift)^-1 x. */
  solve(x: Float64Array): void {
    const [pivot, above, farAbove, factor, isSwapped] = [this.#pivot, this.#above, this.#farAbove, this.#factor, this.#isSwapped];
    const n = x.length;
    for (let i = 0; i < n - 1; i++) {
      const [here, next] = [x[i]!, x[i + 1]!];
      if (isSwapped[i]) {
        x[i] = next;
        x[i + 1] = here - factor[i]! * next;
      } else x[i + 1] = next - factor[i]! * here;
    }
    for (let i = n - 1; i >= 0; i--) {
      let value = x[i]!;
      if (i + 1 < n) value -= above[i]! * x[i + 1]!;
      if (i + 2 < n) value -= farAbove[i]! * x[i + 2]!;
      x[i] = value * pivot[i]!;
    }
  }
}
