import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeadroomError } from '../../../src/core/errors.ts';
import { computed, held } from '../../../src/core/passes/computed.ts';
import { asHalf } from '../../../src/core/passes/quantize/as-half.ts';
import { byColumns, byRows, byTensor } from '../../../src/core/passes/quantize/eight-bits.ts';
import { transposed } from '../../../src/core/passes/quantize/transposed.ts';
import type { Tensor } from '../../../src/core/tensor/tensor.ts';

const form = { id: 'encoder.x', signed: false };

function weightOf(rows: number, columns: number): Tensor {
  const values = new Float32Array(rows * columns);
  let state = 7;
  for (let i = 0; i < values.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[i] = state / 2 ** 32 - 0.5;
  }
  return held('w', 'fp32', [rows, columns], values);
}

/** The tensor with the bytes that were read through it. */
function counted(tensor: Tensor): { tensor: Tensor; read: () => number } {
  let read = 0;
  const through = computed(tensor.name, tensor.dtype, tensor.shape, (start, end, signal) => {
    read += end - start;
    return tensor.bytes(start, end, signal);
  });
  return { tensor: through, read: () => read };
}

const floats = async (tensor: Tensor): Promise<Float32Array> => new Float32Array((await tensor.bytes()).slice().buffer);

for (const [name, quantize] of Object.entries({ byRows, byColumns }))
  test(`${name}: any run of bytes, in any order and more than once, is that run of the whole`, async () => {
    for (const [rows, columns] of [
      [37, 53],
      [2100, 2003],
    ] as const) {
      const weight = weightOf(rows, columns);
      const whole = Buffer.from(await quantize(weight, form).values.bytes());
      const pieces = quantize(weight, form).values;
      const { length } = whole;
      for (const [start, end] of [
        [length - 5, length],
        [0, 1],
        [columns - 1, columns + 1],
        [7, 7],
        [0, length],
        [100, length - 3],
      ] as const)
        assert.ok(whole.subarray(start, end).equals(await pieces.bytes(start, end)), `${rows} x ${columns} [${start}, ${end})`);
    }
  });

test('writing integers, then scales, then sums reads a weight of up to 4 Mi elements once, by rows any weight', async () => {
  for (const [quantize, rows, reads] of [
    [byColumns, 1000, 1],
    [byRows, 1000, 1],
    [byRows, 6000, 1],
    [byColumns, 6000, 3],
  ] as const) {
    const { tensor, read } = counted(weightOf(rows, 1000));
    const { values, scale, sums } = quantize(tensor, form);
    assert.equal(read(), 0, 'nothing is read before it is asked for');
    await values.bytes();
    await scale.bytes();
    await sums.bytes();
    assert.equal(read(), reads * rows * 4000, `${quantize.name} ${rows}`);
  }
});

test('sums are those of the weights as they act, within 1e-4', async () => {
  const [rows, columns] = [61, 47];
  for (const quantize of [byRows, byColumns]) {
    const { values, scale, sums } = quantize(weightOf(rows, columns), form);
    const [integers, scales, found] = [await values.bytes(), await floats(scale), await floats(sums)];
    const expected = new Float64Array(scales.length);
    integers.forEach((integer, i) => {
      const channel = quantize === byRows ? Math.floor(i / columns) : i % columns;
      expected[channel]! += (integer - 128) * scales[channel]!;
    });
    expected.forEach((sum, i) => {
      assert.ok(Math.abs(sum - found[i]!) < 1e-4);
    });
  }
});

test('unsigned integers keep clear of 0, so that both ends of a channel are as far from 128', async () => {
  const integers = await byColumns(weightOf(64, 64), form).values.bytes();
  assert.deepEqual([Math.min(...integers), Math.max(...integers)], [1, 255]);
});

test('NaN and infinity are an error that names the organ', async () => {
  for (const bad of [NaN, Infinity])
    for (const quantize of [byRows, byColumns, byTensor]) {
      const weight = held('w', 'fp32', [2, 3], new Float32Array([1, 2, bad, 4, 5, 6]));
      await assert.rejects(
        async () => quantize(weight, form).values.bytes(),
        error => {
          assert.ok(error instanceof HeadroomError && error.code === 'unsupported');
          assert.match(error.message, /encoder\.x holds NaN or infinity/);
          return true;
        },
      );
    }
});

test('a cancelled read can be asked again', async () => {
  const { values, scale } = byColumns(weightOf(100, 100), form);
  const cancelled = AbortSignal.abort();
  await assert.rejects(values.bytes(0, 10, cancelled), { code: 'cancelled' });
  assert.equal((await values.bytes(0, 10)).length, 10);
  assert.equal((await scale.bytes()).length, 400);
});

test('turning a matrix moves element [r, c] to [c, r], and twice gives it back, in one band or in many, whole or in pieces', async () => {
  const [rows, columns] = [130, 67];
  const bytes = new Uint8Array(rows * columns).map((_, i) => i * 31);
  const matrix = held('w', 'uint8', [rows, columns], bytes);
  for (const band of [undefined, 1, 1000, 130 * 64]) {
    const turned = transposed(matrix, band);
    assert.deepEqual(turned.shape, [columns, rows]);
    const whole = await turned.bytes();
    for (const [r, c] of [
      [0, 0],
      [129, 0],
      [0, 66],
      [64, 63],
      [65, 64],
      [129, 66],
    ] as const)
      assert.equal(whole[c * rows + r], bytes[r * columns + c], `${r}, ${c} in bands of ${band}`);
    assert.deepEqual(await transposed(turned, band).bytes(), bytes);
    const pieces = [
      await turned.bytes(0, 1000),
      await turned.bytes(1000, 8000),
      await turned.bytes(8000),
      await turned.bytes(0, 3),
    ];
    assert.deepEqual(Buffer.concat(pieces.slice(0, 3)), Buffer.from(whole));
    assert.deepEqual([...pieces[3]!], [bytes[0], bytes[columns], bytes[2 * columns]]);
  }
});

test('fp16 of a tensor is the same read whole and read at odd bytes', async () => {
  const half = asHalf(weightOf(1100, 1000));
  assert.equal(half.byteLength, 2_200_000);
  const whole = Buffer.from(await half.bytes());
  for (const [start, end] of [
    [1, 2],
    [3, 2_199_999],
    [2_199_998, 2_200_000],
  ] as const)
    assert.ok(whole.subarray(start, end).equals(await half.bytes(start, end)));
});
