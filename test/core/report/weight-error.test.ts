import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Linear, Table } from '../../../src/core/anatomy/anatomy.ts';
import { detect } from '../../../src/core/anatomy/detect.ts';
import { held } from '../../../src/core/passes/computed.ts';
import { tensorError, weightError } from '../../../src/core/report/weight-error.ts';
import { readFloats } from '../../../src/core/tensor/floats.ts';
import type { Tensor } from '../../../src/core/tensor/tensor.ts';
import { generated, noGenerated, openMemory, openSource, quantized, weightEdits } from '../passes/fixtures.ts';

const f32 = (shape: number[], values: number[]): Tensor => held('t', 'fp32', shape, new Float32Array(values));
const linear = (weight: Tensor, transposed = false, more: Partial<Linear> = {}): Linear => {
  const [rows = 0, columns = 0] = weight.shape;
  const [out, width] = transposed ? [columns, rows] : [rows, columns];
  return { id: 'l', weight, out, in: width, transposed, form: 'dense', nodes: [], ...more };
};

test('the error of a small matrix is what one computes by hand', async () => {
  const error = await weightError(linear(f32([2, 2], [3, 0, 0, 4])), linear(f32([2, 2], [3, 0, 0, 1])));
  assert.deepEqual(error, { relative: 3 / 5, cosine: 13 / Math.sqrt(25 * 10), maxAbs: 3 });
});

test('the same matrix lying the other way, or as integers with scale and zero point, has no error', async () => {
  const dense = linear(f32([2, 3], [1, 2, 3, -4, 5, 6]));
  const none = { relative: 0, cosine: 1, maxAbs: 0 };
  assert.deepEqual(await weightError(dense, linear(f32([3, 2], [1, -4, 2, 5, 3, 6]), true)), none);
  const scale = f32([2], [1, 0.5]);
  const byRow = held('q', 'int8', [2, 3], new Int8Array([1, 2, 3, -8, 10, 12]));
  assert.deepEqual(await weightError(dense, linear(byRow, false, { scale, form: 'quantized' })), none);
  const byColumn = held('q', 'uint8', [3, 2], new Uint8Array([129, 120, 130, 138, 131, 140]));
  const zeroPoint = held('z', 'uint8', [], new Uint8Array([128]));
  assert.deepEqual(await weightError(dense, linear(byColumn, true, { scale, zeroPoint, form: 'quantized' })), none);
  const table: Table = { id: 't', weight: byRow, scale: f32([2, 1], [1, 0.5]), rows: 2, width: 3, form: 'quantized', nodes: [] };
  assert.deepEqual(await weightError({ ...table, weight: dense.weight, form: 'dense' }, table), none);
});

test('matrices that do not join, or that nothing can be compared with, have no error', async () => {
  const matrix = linear(f32([2, 2], [1, 2, 3, 4]));
  assert.equal(await weightError(matrix, linear(f32([2, 3], [1, 2, 3, 4, 5, 6]))), null);
  assert.equal(await weightError(linear(f32([2, 2], [0, 0, 0, 0])), matrix), null);
  assert.equal(await weightError(matrix, linear(f32([2, 2], [1, NaN, 3, 4]))), null);
  assert.equal(await weightError(matrix, linear(matrix.weight, false, { form: 'factored' })), null);
  assert.equal(await tensorError(f32([2], [1, 2]), f32([3], [1, 2, 3])), null);
  assert.deepEqual(await tensorError(f32([2], [0, 0]), f32([2], [0, 0])), { relative: 0, cosine: 1, maxAbs: 0 });
});

test('a wide matrix lying the other way is gathered in bands with the same error as lying the same way, within 1e-12', async () => {
  const [rows, columns] = [3000, 2000];
  const values = new Float32Array(rows * columns).map((_, i) => Math.sin(i));
  const other = values.map((value, i) => value + Math.cos(i * 3) / 100);
  const turned = new Float32Array(values.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) turned[c * rows + r] = other[r * columns + c]!;
  const before = linear(held('b', 'fp32', [rows, columns], values));
  const alike = await weightError(before, linear(held('a', 'fp32', [rows, columns], other)));
  const across = await weightError(before, linear(held('a', 'fp32', [columns, rows], turned), true));
  assert.ok(alike && across);
  assert.equal(across.maxAbs, alike.maxAbs);
  assert.ok(Math.abs(across.relative - alike.relative) < 1e-12 && Math.abs(across.cosine - alike.cosine) < 1e-12);
});

test('int8 of every matrix of the fixtures errs by 0.3 to 1.2 %, as plain arithmetic says too', {
  skip: noGenerated,
}, async () => {
  for (const path of ['bert-base/model.torchscript.onnx', 'bert-base/model.safetensors', 'albert-base/model.dynamo.onnx']) {
    const source = await openSource(join(generated, path));
    const { files, plan, body } = await quantized(join(generated, path), { exclude: ['*embeddings*'] });
    const written = await openMemory(files, `model.${body.model.format}`);
    const after = await detect({ ...written, config: body.model.config });
    assert.ok(plan.edits.length > 1);
    for (const { target } of weightEdits(plan).filter(edit => !source.body.anatomy.copies.has(edit.target.weight.name))) {
      const [left, right] = [source.body.anatomy, after].map(it => it.linears.find(one => one.id === target.id)!);
      const error = await weightError(left!, right!);
      assert.ok(error && error.relative > 0.003 && error.relative < 0.012, `${path} ${target.id} ${error?.relative}`);
      assert.ok(Math.abs(error.relative - (await plainly(left!, right!))) < 1e-9, target.id);
    }
    await source.close();
  }
});

/** Relative error without kernels or chunks: every element of the written integers, multiplied out. */
async function plainly(before: Linear, after: Linear): Promise<number> {
  const [weights, integers] = [await readFloats(before.weight), await readFloats(after.weight)];
  const scale = await readFloats(after.scale!);
  const zero = after.zeroPoint ? (await readFloats(after.zeroPoint))[0]! : 0;
  const factor = after.smoothing ? await readFloats(after.smoothing) : undefined;
  let [d2, w2] = [0, 0];
  for (let o = 0; o < before.out; o++)
    for (let i = 0; i < before.in; i++) {
      const w = weights[before.transposed ? i * before.out + o : o * before.in + i]!;
      const q = integers[after.transposed ? i * after.out + o : o * after.in + i]!;
      d2 += (Math.fround(Math.fround((q - zero) * scale[o]!) * (factor?.[i] ?? 1)) - w) ** 2;
      w2 += w ** 2;
    }
  return Math.sqrt(d2 / w2);
}
