import assert from 'node:assert/strict';
import { test } from 'node:test';
import { symmetricEigen } from '../../../../src/core/kernels/linear-algebra/eigen.ts';
import { topEigen } from '../../../../src/core/kernels/linear-algebra/top-eigen.ts';

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
}

/** The Gram matrix of `rank` columns that fall by their number. */
function gramOf(n: number, rank: number): Float64Array {
  const next = random(n);
  const columns = Float64Array.from({ length: n * rank }, next);
  const gram = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      for (let k = 0; k < rank; k++) gram[i * n + j]! += (columns[i * rank + k]! * columns[j * rank + k]!) / (1 + k);
  return gram;
}

function farthest(a: Float64Array, n: number, values: Float64Array, vectors: Float64Array): { residual: number; skew: number } {
  const count = vectors.length / n;
  let [residual, skew] = [0, 0];
  for (let k = 0; k < count; k++) {
    const vector = vectors.subarray(k * n, (k + 1) * n);
    for (let r = 0; r < n; r++) {
      let value = -values[k]! * vector[r]!;
      for (let c = 0; c < n; c++) value += a[r * n + c]! * vector[c]!;
      residual = Math.max(residual, Math.abs(value) / Math.abs(values[0]!));
    }
    for (let other = 0; other <= k; other++) {
      let product = other === k ? -1 : 0;
      for (let c = 0; c < n; c++) product += vector[c]! * vectors[other * n + c]!;
      skew = Math.max(skew, Math.abs(product));
    }
  }
  return { residual, skew };
}

test('the largest eigenvalues and their vectors: values as all of them are, residuals within 1e-13 of the largest, orthonormal within 1e-9', async () => {
  for (const [n, rank, count] of [
    [1, 1, 1],
    [2, 2, 1],
    [7, 7, 7],
    [40, 40, 20],
    [65, 30, 40],
    [130, 130, 60],
  ] as const) {
    const gram = gramOf(n, rank);
    const [top, all] = [await topEigen(gram, n, count), await symmetricEigen(gram, n)];
    assert.equal(top.vectors.length, count * n);
    for (const [i, value] of all.values.entries()) assert.ok(Math.abs(value - top.values[i]!) <= 1e-13 * all.values[0]!, `${n}`);
    const { residual, skew } = farthest(gram, n, top.values, top.vectors);
    assert.ok(residual < 1e-13 && skew < 1e-9, `${n}: ${residual}, ${skew}`);
  }
});

test('equal eigenvalues, blocks that are apart and zeros have orthonormal vectors within 1e-9; what is not worth it is zeros', async () => {
  const n = 12;
  const diagonal = Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? (i < n * 6 ? 3 : 1) : 0));
  const { values, vectors } = await topEigen(diagonal, n, n);
  const { residual, skew } = farthest(diagonal, n, values, vectors);
  assert.ok(residual < 1e-13 && skew < 1e-9, `${residual}, ${skew}`);
  const zeros = await topEigen(new Float64Array(n * n), n, 3);
  assert.ok(zeros.values.every(value => value === 0) && zeros.vectors.every(Number.isFinite));
  const low = gramOf(20, 4);
  const top = await topEigen(low, 20, 10, 1e-12);
  assert.ok(top.vectors.subarray(0, 80).some(value => value !== 0) && top.vectors.subarray(80).every(value => value === 0));
});
