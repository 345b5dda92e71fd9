import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearSvd } from '../../../../src/core/kernels/linear-algebra/near-svd.ts';
import type { Product32 } from '../../../../src/core/kernels/linear-algebra/product32.ts';
import { type Svd, svd } from '../../../../src/core/kernels/linear-algebra/svd.ts';
import { openSymmetric32 } from '../../../../src/core/kernels/linear-algebra/symmetric32.ts';
import { plainSymmetric32 } from '../../../../src/core/kernels/linear-algebra/symmetric32-plain.ts';
import { openProducts } from '../../../../src/core/session/products.ts';
import { made } from './reference.ts';

/** The product written out, in f32 after each sum. */
const plainProduct: Product32 = async (a, b, m, n, depth, turned) => {
  const c = new Float32Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < depth; k++)
        sum += a[turned === 'a' ? k * m + i : i * depth + k]! * b[turned === 'b' ? j * depth + k : k * n + j]!;
      c[i * n + j] = sum;
    }
  return c;
};

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
}

const noise = (rows: number, columns: number, seed = 1): Float32Array =>
  Float32Array.from({ length: rows * columns }, random(seed));

/** ||matrix - left values right||, Frobenius. */
function lost(matrix: Float32Array, { values, left, right, rank }: Svd, rows: number, columns: number): number {
  let sum = 0;
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) {
      let value = matrix[r * columns + c]!;
      for (let k = 0; k < rank; k++) value -= left[r * rank + k]! * values[k]! * right[k * columns + c]!;
      sum += value * value;
    }
  return Math.sqrt(sum);
}

for (const n of [4, 5, 31, 64])
  test(`${n} rows: the f32 kernels are the plain ones within 1e-5`, () => {
    const stride = Math.ceil(n / 4) * 4 + 4;
    const [u, q] = [(n + 1) * stride, (n + 2) * stride];
    const next = random(n);
    const [fast, plain] = [openSymmetric32(stride * (n + 3)), plainSymmetric32(stride * (n + 3))];
    for (let i = 0; i < n * stride; i++) fast.memory[i] = plain.memory[i] = next();
    for (let i = 0; i < n; i++) fast.memory[u + i] = plain.memory[u + i] = next();
    for (const { memory, kernels } of [fast, plain]) {
      kernels.symmetricProduct32(0, stride, n, u, q);
      kernels.rankTwoUpdate32(0, stride, n, u, q);
      assert.ok(memory.every(Number.isFinite));
    }
    for (let r = 0; r < n; r++) {
      assert.ok(Math.abs(fast.memory[q + r]! - plain.memory[q + r]!) < 1e-5, `vector ${r}`);
      for (let c = 0; c <= r; c++)
        assert.ok(Math.abs(fast.memory[r * stride + c]! - plain.memory[r * stride + c]!) < 1e-5, `${r} ${c}`);
    }
  });

for (const [rows, columns, rank] of [
  [130, 70, 35],
  [70, 130, 20],
  [65, 65, 40],
  [200, 180, 1],
] as const)
  test(`${rows} x ${columns} at rank ${rank}: what is lost is within 1e-6 of what f64 loses, values and unit vectors within 1e-5`, async () => {
    const matrix = noise(rows, columns);
    const near = (await nearSvd(matrix, rows, columns, rank, plainProduct))!;
    const exact = await svd(matrix, rows, columns, rank);
    assert.deepEqual(
      [near.values.length, near.left.length, near.right.length],
      [exact.values.length, rows * rank, rank * columns],
    );
    assert.ok(Math.abs(lost(matrix, near, rows, columns) / lost(matrix, exact, rows, columns) - 1) < 1e-6);
    for (let k = 0; k < rank; k++) {
      assert.ok(Math.abs(near.values[k]! / exact.values[k]! - 1) < 1e-5);
      for (let l = 0; l <= k; l++) {
        let [left, right] = [0, 0];
        for (let r = 0; r < rows; r++) left += near.left[r * rank + k]! * near.left[r * rank + l]!;
        for (let c = 0; c < columns; c++) right += near.right[k * columns + c]! * near.right[l * columns + c]!;
        const expected = k === l ? 1 : 0;
        assert.ok(Math.abs(left - expected) < 1e-5 && Math.abs(right - expected) < 1e-5, `${k} ${l}: ${left} ${right}`);
      }
    }
  });

test('fp32 declines what it could not do well: a matrix of a lower rank, the full rank, NaN, infinity, squares beyond fp32', async () => {
  const thin = Float32Array.from({ length: 40 * 30 }, (_, at) => (1 + (at % 30)) * (1 + Math.floor(at / 30)));
  assert.equal(await nearSvd(thin, 40, 30, 10, plainProduct), undefined);
  assert.equal(await nearSvd(noise(20, 20), 20, 20, 20, plainProduct), undefined);
  assert.equal(await nearSvd(new Float32Array(400), 20, 20, 5, plainProduct), undefined);
  for (const wrong of [Number.NaN, Infinity, 1e30])
    assert.equal(await nearSvd(noise(20, 20).fill(wrong, 7, 9), 20, 20, 10, plainProduct), undefined);
});

test('equal singular values at the cut lose no more than f64 does, within 1e-5', async () => {
  const n = 48;
  const matrix = Float32Array.from({ length: n * n }, (_, at) => (at % (n + 1) === 0 ? 1 : 0));
  const near = (await nearSvd(matrix, n, n, 20, plainProduct))!;
  assert.ok(Math.abs(lost(matrix, near, n, n) - Math.sqrt(28)) < 1e-5);
});

test("onnxruntime's products are the ones written out within 1e-5, however its operands are turned, and give the same factors twice", async () => {
  const products = openProducts(2);
  const product = (await products.product())!;
  const [a, b] = [Float32Array.from(made(24, 40)), Float32Array.from(made(40, 24))];
  for (const turned of [undefined, 'a', 'b'] as const) {
    const [m, n, depth] = turned === 'a' ? [40, 24, 24] : turned === 'b' ? [24, 40, 40] : [24, 24, 40];
    const [left, right] = turned === 'a' ? [a, b.subarray(0, 24 * 24)] : [a, turned === 'b' ? noise(40, 40) : b];
    const [given, expected] = [
      await product(left, right, m, n, depth, turned),
      await plainProduct(left, right, m, n, depth, turned),
    ];
    assert.equal(given.length, m * n);
    expected.forEach((value, i) => {
      assert.ok(Math.abs(given[i]! - value) < 1e-5, `${turned} ${i}`);
    });
  }
  const matrix = noise(160, 140);
  const [one, two] = [await nearSvd(matrix, 160, 140, 70, product), await nearSvd(matrix, 160, 140, 70, product)];
  assert.deepEqual(one, two);
  await products.close();
});

test('what pause throws ends the work', async () => {
  const stop = async (): Promise<void> => {
    throw new Error('stop');
  };
  await assert.rejects(nearSvd(noise(12, 12), 12, 12, 3, plainProduct, stop), /stop/);
});
