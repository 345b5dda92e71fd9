import assert from 'node:assert/strict';
import { test } from 'node:test';
import { symmetricEigen } from '../../../../src/core/kernels/linear-algebra/eigen.ts';
import { svd } from '../../../../src/core/kernels/linear-algebra/svd.ts';
import { eigenvaluesOfS, made, singularValues } from './reference.ts';

const symmetric = (n: number): Float64Array => {
  const a = made(n, n);
  return a.map((value, at) => (value + a[(at % n) * n + Math.floor(at / n)]!) / 2);
};

test("eigenvalues are numpy's within 1e-10", async () => {
  const { values } = await symmetricEigen(symmetric(12), 12);
  values.forEach((value, i) => {
    assert.ok(Math.abs(value - eigenvaluesOfS[i]!) < 1e-10);
  });
});

for (const n of [1, 2, 3, 12, 65, 120])
  test(`${n} rows: A v = value v, and vectors are orthonormal, within 1e-10; largest first`, async () => {
    const a = symmetric(n);
    const { values, vectors } = await symmetricEigen(a, n);
    for (let k = 0; k < n; k++) {
      const v = vectors.subarray(k * n, (k + 1) * n);
      assert.ok(k === 0 || values[k]! <= values[k - 1]!);
      for (let i = 0; i < n; i++) {
        const product = v.reduce((sum, x, j) => sum + a[i * n + j]! * x, 0);
        assert.ok(Math.abs(product - values[k]! * v[i]!) < 1e-10);
        const other = vectors.subarray(i * n, (i + 1) * n);
        assert.ok(Math.abs(v.reduce((sum, x, j) => sum + x * other[j]!, 0) - (i === k ? 1 : 0)) < 1e-10);
      }
    }
  });

test('a diagonal matrix, one of equal values and one of zeros have their vectors', async () => {
  for (const diagonal of [
    [3, -1, 2, 0, 7],
    [2, 2, 2],
    [0, 0],
  ]) {
    const n = diagonal.length;
    const a = Float64Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? diagonal[at % n]! : 0));
    const { values, vectors } = await symmetricEigen(a, n);
    assert.deepEqual(
      [...values],
      [...diagonal].sort((x, y) => y - x),
    );
    for (const value of vectors) assert.ok(value === 0 || value === 1);
  }
});

test("singular values are LAPACK's within 1e-9 of themselves, of a tall matrix and a wide one", async () => {
  const a = made(24, 16);
  const wide = Float32Array.from({ length: 24 * 16 }, (_, at) => a[(at % 24) * 16 + Math.floor(at / 24)]!);
  for (const { values } of [await svd(Float32Array.from(a), 24, 16), await svd(wide, 16, 24)])
    values.forEach((value, i) => {
      assert.ok(Math.abs(value / singularValues[i]! - 1) < 1e-9, `${i}: ${value}`);
    });
});

for (const [rows, columns] of [
  [24, 16],
  [16, 24],
  [130, 70],
  [7, 1],
] as const)
  test(`${rows} x ${columns} at full rank is itself within 1e-6, and at any rank what is lost is the rest of the values within 1e-6`, async () => {
    const matrix = Float32Array.from(made(rows, columns));
    const full = Math.min(rows, columns);
    for (const rank of new Set([full, Math.ceil(full / 3)])) {
      const { values, left, right } = await svd(matrix, rows, columns, rank);
      assert.deepEqual([values.length, left.length, right.length], [full, rows * rank, rank * columns]);
      let lost = 0;
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < columns; c++) {
          let sum = 0;
          for (let k = 0; k < rank; k++) sum += left[r * rank + k]! * values[k]! * right[k * columns + c]!;
          lost += (sum - matrix[r * columns + c]!) ** 2;
        }
      const rest = values.subarray(rank).reduce((sum, value) => sum + value * value, 0);
      assert.ok(Math.abs(Math.sqrt(lost) - Math.sqrt(rest)) < 1e-6 * values[0]!, `${rank}: ${lost}, ${rest}`);
    }
  });

test('a matrix of rank 1 has one singular value above 1e-6 of it, and nothing that is not finite', async () => {
  const matrix = Float32Array.from({ length: 40 * 30 }, (_, at) => (1 + (at % 30)) * (1 + Math.floor(at / 30)));
  const { values, left, right } = await svd(matrix, 40, 30);
  assert.ok(values[1]! < 1e-6 * values[0]!);
  assert.ok([...left, ...right].every(Number.isFinite));
  const zeros = await svd(new Float32Array(12), 4, 3);
  assert.deepEqual([...zeros.values, ...zeros.left], new Array(15).fill(0));
});

test('what pause throws ends the work', async () => {
  const stop = async (): Promise<void> => {
    throw new Error('stop');
  };
  await assert.rejects(svd(new Float32Array(12), 4, 3, 3, stop), /stop/);
});
