import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeadroomError } from '../../../src/core/errors.ts';
import { asBitmask, fromBitmask, storedLength } from '../../../src/core/tensor/bitmask.ts';
import { packedByteLength, type Tensor } from '../../../src/core/tensor/tensor.ts';

const tensor = (name: string, dtype: Tensor['dtype'], shape: readonly number[], values: ArrayBufferView): Tensor => {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  assert.equal(bytes.length, packedByteLength(dtype, shape));
  return {
    name,
    dtype,
    shape,
    byteLength: bytes.length,
    bytes: async (start = 0, end = bytes.length) => bytes.slice(start, end),
  };
};

// Two rows of ten: 1 . . 2 . . . . 3 . and . 4 . . . . . . . 5
const values = new Float32Array(20);
for (const [at, value] of [
  [0, 1],
  [3, 2],
  [8, 3],
  [11, 4],
  [19, 5],
] as const)
  values[at] = value;
const dense = tensor('a.weight', 'fp32', [2, 10], values);

test('a matrix as a bitmask is what compressed-tensors 0.11 reads: bits from the lowest, rows padded to whole bytes', async () => {
  const { bitmask } = asBitmask(dense, 5);
  assert.deepEqual([...(await bitmask!.bitmask.bytes())], [0b1001, 0b1, 0b10, 0b10]);
  assert.deepEqual([...new Float32Array((await bitmask!.compressed.bytes()).slice().buffer)], [1, 2, 3, 4, 5]);
  assert.deepEqual([...new BigInt64Array((await bitmask!.row_offsets.bytes()).slice().buffer)], [0n, 3n]);
  assert.deepEqual([...new BigInt64Array((await bitmask!.shape.bytes()).slice().buffer)], [2n, 10n]);
  assert.deepEqual(
    ['compressed', 'bitmask', 'row_offsets', 'shape'].map(part => bitmask![part as 'shape'].name),
    ['a.compressed', 'a.bitmask', 'a.row_offsets', 'a.shape'],
  );
});

test('it reads back as it was, in any range, with zeros kept in place of numbers that are missing; more numbers than said are refused', async () => {
  for (const kept of [5, 9]) {
    const stored = asBitmask(dense, kept);
    assert.equal(storedLength(stored), 4 * kept + 4 + 16 + 16);
    const read = fromBitmask('a.weight', stored.bitmask!, 2, 10);
    const all = new Uint8Array(values.buffer);
    for (const [start, end] of [
      [0, 80],
      [12, 40],
      [37, 80],
      [41, 43],
    ] as const)
      assert.deepEqual(await read.bytes(start, end), all.slice(start, end));
  }
  await assert.rejects(asBitmask(dense, 4).bitmask!.compressed.bytes(), /1 more numbers than said/);
});

test('a mask that does not fit its numbers is malformed, not a crash', async () => {
  const parts = asBitmask(dense, 5).bitmask!;
  const isMalformed = (error: unknown) => error instanceof HeadroomError && error.code === 'malformed';
  const bad: readonly (readonly [typeof parts, number])[] = [
    [{ ...parts, bitmask: tensor('a.bitmask', 'uint8', [2, 2], Uint8Array.of(255, 3, 0, 0)) }, 0],
    [{ ...parts, bitmask: tensor('a.bitmask', 'uint8', [2, 2], new Uint8Array(4)) }, 0],
    [{ ...parts, row_offsets: tensor('a.row_offsets', 'int64', [2], BigInt64Array.of(0n, 77n)) }, 40],
    [{ ...parts, row_offsets: tensor('a.row_offsets', 'int64', [2], BigInt64Array.of(-1n, 3n)) }, 0],
  ];
  for (const [each, start] of bad) await assert.rejects(fromBitmask('a.weight', each, 2, 10).bytes(start, 80), isMalformed);
});
