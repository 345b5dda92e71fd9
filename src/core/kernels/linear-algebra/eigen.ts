import { implicitQL, tridiagonal } from '../eigenvalues.ts';
import { openSymmetric } from '../symmetric.ts';
import { fours, openLinearAlgebra } from './memory.ts';

/** Reflectors applied between two pauses: some 10 ms at 768 rows. */
const STEP = 32;

/** Eigenvalues, largest first, and their vectors: row k of `vectors` [n, n] is the unit vector of values[k]. */
export interface Eigen {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/**
 * The symmetric a [n, n], of which the lower triangle is read. `pause` is awaited between steps: what it throws ends the work.
 * Source: EISPACK tred2 and imtql2, with the vectors as rows. Memory: 16 n^2 bytes of WebAssembly beside the result.
 */
export async function symmetricEigen(a: Float64Array, n: number, pause: () => Promise<void> = async () => {}): Promise<Eigen> {
  const stride = fours(n);
  const place = { ...openSymmetric(stride * stride + 2 * stride), matrix: 0, stride, vectors: stride * stride };
  for (let r = 0; r < n; r++) place.memory.set(a.subarray(r * n, r * n + r + 1), r * stride);
  const { diagonal, beside, halves } = await tridiagonal(n, place, pause);
  const { memory, kernels } = openLinearAlgebra(stride * stride + 2 * stride);
  const extra = stride * stride;
  for (let r = 0; r < n; r++) memory[r * stride + r] = 1;
  const turns = memory.subarray(extra, extra + 2 * stride);
  const apply = (first: number, last: number) => kernels.rotateRows(0, stride, stride, first, last, extra);
  await pause();
  implicitQL(diagonal, beside, { turns, apply });
  for (let i = 1; i < n; i++) {
    if (i % STEP === 0) await pause();
    if (halves[i] === 0) continue;
    memory.set(place.memory.subarray(i * stride, i * stride + i), extra);
    memory[extra + i] = 0;
    kernels.reflectRows(0, stride, n, extra, i + (i & 1), halves[i]!);
  }
  return sorted(diagonal, memory, stride);
}

function sorted(values: Float64Array, rows: Float64Array, stride: number): Eigen {
  const n = values.length;
  const order = Array.from(values.keys()).sort((i, j) => values[j]! - values[i]!);
  const vectors = new Float64Array(n * n);
  order.forEach((from, to) => {
    vectors.set(rows.subarray(from * stride, from * stride + n), to * n);
  });
  return { values: Float64Array.from(order, i => values[i]!), vectors };
}
