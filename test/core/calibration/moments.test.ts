import assert from 'node:assert/strict';
import { test } from 'node:test';
import { momentsOf } from '../../../src/core/calibration/moments.ts';

/** aᵀ b by the definition, in fp32 as the runtime makes it. */
async function product(a: Float32Array, b: Float32Array, n: number, d: number, e: number): Promise<Float32Array> {
  const found = new Float32Array(d * e);
  for (let i = 0; i < d; i++)
    for (let j = 0; j < e; j++) for (let row = 0; row < n; row++) found[i * e + j]! += a[row * d + i]! * b[row * e + j]!;
  return found;
}

const rows = (n: number, width: number, mean: number, seed: number) =>
  Float32Array.from({ length: n * width }, (_, i) => mean + Math.sin(seed + i * 1.7) + Math.cos(i * i * 0.3));

test('means and centred moments of rows that come in parts equal those of all rows at once, to 1e-6, with a mean far from 0', async () => {
  const [d, e] = [3, 2];
  const [x, y] = [rows(40, d, 100, 1), rows(40, e, -50, 2)];
  const moments = momentsOf(product, d, e);
  for (const [from, to] of [
    [0, 7],
    [7, 7],
    [7, 40],
  ] as const)
    await moments.add(x.subarray(from * d, to * d), y.subarray(from * e, to * e));
  assert.equal(moments.count, 40);
  const column = (values: Float32Array, width: number, j: number) => Array.from({ length: 40 }, (_, i) => values[i * width + j]!);
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b) / values.length;
  const covariance = (a: readonly number[], b: readonly number[]) => mean(a.map((v, i) => (v - mean(a)) * (b[i]! - mean(b))));
  const near = (found: number, expected: number) =>
    assert.ok(Math.abs(found - expected) < 1e-6 * Math.max(1, Math.abs(expected)));
  for (let i = 0; i < d; i++) {
    near(moments.meanX()[i]!, mean(column(x, d, i)));
    for (let j = 0; j < d; j++) {
      near(moments.covarianceXX()[i * d + j]!, covariance(column(x, d, i), column(x, d, j)));
      near(moments.secondMomentXX()[i * d + j]!, mean(column(x, d, i).map((v, row) => v * column(x, d, j)[row]!)));
    }
    for (let j = 0; j < e; j++) near(moments.covarianceXY()[i * e + j]!, covariance(column(x, d, i), column(y, e, j)));
  }
  for (let j = 0; j < e; j++) {
    near(moments.meanY()[j]!, mean(column(y, e, j)));
    near(moments.varianceY()[j]!, covariance(column(y, e, j), column(y, e, j)));
  }
});

test('rows of another width are refused', async () => {
  await assert.rejects(momentsOf(product, 3).add(new Float32Array(4)), RangeError);
  await assert.rejects(momentsOf(product, 2, 2).add(new Float32Array(4)), RangeError);
});
