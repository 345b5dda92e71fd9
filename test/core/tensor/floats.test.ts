import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { DType } from '../../../src/core/tensor/dtype.ts';
import { dtypes } from '../../../src/core/tensor/dtype.ts';
import { floatsOf, readFloats } from '../../../src/core/tensor/floats.ts';
import type { Tensor } from '../../../src/core/tensor/tensor.ts';

/** SHA-256 (first 16 digits) of the fp32 values of all bit patterns in order, NaN as 7fc00000, from ml_dtypes 0.6.0 and numpy 2.4.6. */
const allValues: Partial<Record<DType, string>> = {
  fp8_e4m3fn: '422eccfaa21e72a6',
  fp8_e4m3fnuz: 'ac4866f772a7c080',
  fp8_e5m2: '229a94c5f728edf2',
  fp8_e5m2fnuz: 'aac12d2730bf26ca',
  fp8_e8m0: '2fb2732a95604377',
  fp6_e2m3: '178eab5d385741cf',
  fp6_e3m2: '1f21874836838a0a',
  fp4_e2m1: 'c736c7e2e761e089',
  fp16: '385ff5fe69182797',
  bf16: 'f12e27efe34841df',
};

for (const [dtype, expected] of Object.entries(allValues) as [DType, string][]) {
  test(`every bit pattern of ${dtype} has the value ml_dtypes gives it`, () => {
    const count = 2 ** dtypes[dtype].bits;
    const values = floatsOf(dtype, patterns(dtypes[dtype].bits), count);
    const words = new Uint32Array(values.buffer);
    for (let i = 0; i < count; i++) if (Number.isNaN(values[i])) words[i] = 0x7fc00000;
    assert.equal(createHash('sha256').update(new Uint8Array(words.buffer)).digest('hex').slice(0, 16), expected);
  });
}

/** 0, 1, 2, … in `bits` bits each, lowest bits first. */
function patterns(bits: number): Uint8Array {
  const bytes = new Uint8Array((2 ** bits * bits) / 8);
  for (let i = 0; i < 2 ** bits; i++)
    for (let k = 0; k < bits; k++) if ((i >> k) & 1) bytes[(i * bits + k) >> 3]! |= 1 << ((i * bits + k) & 7);
  return bytes;
}

test('integers of every width keep their sign and their order', () => {
  assert.deepEqual([...floatsOf('int4', Uint8Array.of(0x8f, 0x70), 4)], [-1, -8, 0, 7]);
  assert.deepEqual([...floatsOf('uint4', Uint8Array.of(0x8f, 0x70), 4)], [15, 8, 0, 7]);
  assert.deepEqual([...floatsOf('int2', Uint8Array.of(0b11_10_01_00), 4)], [0, 1, -2, -1]);
  assert.deepEqual([...floatsOf('uint2', Uint8Array.of(0b11_10_01_00), 4)], [0, 1, 2, 3]);
  assert.deepEqual([...floatsOf('int8', Uint8Array.of(255, 128), 2)], [-1, -128]);
  assert.deepEqual([...floatsOf('uint8', Uint8Array.of(255, 128), 2)], [255, 128]);
  assert.deepEqual([...floatsOf('int16', Uint8Array.of(255, 255, 0, 128), 2)], [-1, -32768]);
  assert.deepEqual([...floatsOf('int64', new Uint8Array(BigInt64Array.of(-5n, 2n ** 40n).buffer), 2)], [-5, 2 ** 40]);
  assert.deepEqual([...floatsOf('uint64', new Uint8Array(BigUint64Array.of(2n ** 63n).buffer), 1)], [2 ** 63]);
  assert.deepEqual([...floatsOf('bool', Uint8Array.of(0, 1), 2)], [0, 1]);
  assert.deepEqual([...floatsOf('fp64', new Uint8Array(Float64Array.of(0.1).buffer), 1)], [Math.fround(0.1)]);
});

test('bytes that are not aligned give the same numbers, in a Buffer too', () => {
  const bytes = Buffer.concat([Buffer.of(9), Buffer.from(Float32Array.of(1.5, -2).buffer)]).subarray(1);
  assert.deepEqual([...floatsOf('fp32', bytes, 2)], [1.5, -2]);
});

test('a range of 4-bit and 6-bit elements may begin and end within a byte', async () => {
  for (const dtype of ['uint4', 'uint2', 'fp6_e2m3'] as const) {
    const bytes = patterns(dtypes[dtype].bits);
    const count = 2 ** dtypes[dtype].bits;
    const tensor: Tensor = {
      name: 't',
      dtype,
      shape: [count],
      byteLength: bytes.length,
      bytes: async (a, b) => bytes.slice(a, b),
    };
    const all = [...(await readFloats(tensor))];
    for (const [start, end] of [
      [1, 3],
      [2, 4],
      [0, 1],
      [3, 3],
    ] as const)
      assert.deepEqual([...(await readFloats(tensor, start, end))], all.slice(start, end), `${dtype} [${start}, ${end})`);
  }
});

test('text and complex numbers are refused with a sentence', () => {
  for (const dtype of ['string', 'complex64'] as const)
    assert.throws(() => floatsOf(dtype, new Uint8Array(8), 1), { code: 'unsupported' });
});
