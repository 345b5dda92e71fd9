import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cholesky, inverseCholeskyUpper, invertSpd, solveSpd } from '../../../../src/core/kernels/linear-algebra/spd.ts';
import { lastRowOfCholesky, made, madeSpd, rowOfInverse, rowOfUpper, solved } from './reference.ts';

const H = madeSpd(24, 16, 0.5);

function near(found: ArrayLike<number>, expected: ArrayLike<number>, within: number): void {
  assert.equal(found.length, expected.length);
  for (let i = 0; i < found.length; i++)
    assert.ok(Math.abs(found[i]! - expected[i]!) <= within, `${i}: ${found[i]}, ${expected[i]}`);
}

/** a^T b of [k, m] and [k, n]. */
function transposedTimes(a: Float64Array, b: Float64Array, k: number, m: number, n: number): Float64Array {
  const into = new Float64Array(m * n);
  for (let l = 0; l < k; l++)
    for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) into[i * n + j]! += a[l * m + i]! * b[l * n + j]!;
  return into;
}

const turned = (a: Float64Array, n: number): Float64Array => a.map((_, at) => a[(at % n) * n + Math.floor(at / n)]!);
const identity = (n: number): Float64Array => Float64Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? 1 : 0));

test("factors, inverse and solution are numpy's within 1e-10", () => {
  const lower = H.slice();
  assert.equal(cholesky(lower, 16), true);
  near(lower.subarray(15 * 16), lastRowOfCholesky, 1e-10);
  near(invertSpd(H, 16)!.subarray(3 * 16, 4 * 16), rowOfInverse, 1e-10);
  near(inverseCholeskyUpper(H, 16)!.subarray(2 * 16 + 2, 3 * 16), rowOfUpper, 1e-10);
  near(solveSpd(H, 16, new Float64Array(16).fill(1), 1)!, solved, 1e-10);
});

for (const n of [1, 2, 5, 63, 64, 65, 130, 197])
  test(`${n} rows: L L^T = A, A A^-1 = I, U^T U = A^-1 and A X = B within 1e-9`, () => {
    const a = madeSpd(n + 7, n, 3);
    const lower = a.slice();
    assert.ok(cholesky(lower, n));
    for (let r = 0; r < n; r++) for (let c = r + 1; c < n; c++) assert.equal(lower[r * n + c], 0);
    const upperOfA = turned(lower, n);
    near(transposedTimes(upperOfA, upperOfA, n, n, n), a, 1e-9);
    const inverse = invertSpd(a, n)!;
    near(transposedTimes(a, inverse, n, n, n), identity(n), 1e-9);
    const upper = inverseCholeskyUpper(a, n)!;
    for (let r = 0; r < n; r++) {
      assert.ok(upper[r * n + r]! > 0);
      for (let c = 0; c < r; c++) assert.equal(upper[r * n + c], 0);
    }
    near(transposedTimes(upper, upper, n, n, n), inverse, 1e-9);
    const b = made(n, 7);
    near(transposedTimes(a, solveSpd(a, n, b, 7)!, n, n, 7), b, 1e-9);
  });

test('what is not positive definite is said to be so, and left as it was', () => {
  for (const make of [
    (a: Float64Array) => a.fill(-1, 100 * 130 + 100, 100 * 130 + 101),
    (a: Float64Array) => a.fill(NaN, 70 * 130 + 3, 70 * 130 + 4),
    (a: Float64Array) => a.fill(0),
    (a: Float64Array) => a.fill(Infinity, 0, 1),
  ]) {
    const a = make(madeSpd(140, 130, 3));
    const before = a.slice();
    assert.equal(cholesky(a, 130), false);
    assert.deepEqual(a, before);
    assert.equal(invertSpd(a, 130), undefined);
    assert.equal(inverseCholeskyUpper(a, 130), undefined);
    assert.equal(solveSpd(a, 130, new Float64Array(130), 1), undefined);
  }
});
