import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rooms } from '../../../src/core/kernels/arena.ts';

const buffer = new ArrayBuffer(1024);

test('buffers lie at the lowest place with room, on lines of 64 bytes, and never on each other', () => {
  const { allocate, free } = rooms(buffer, 128, 128 + 512);
  const [first, second, third] = [allocate(1)!, allocate(65)!, allocate(64)!];
  assert.deepEqual(
    [first, second, third].map(it => [it.byteOffset, it.length]),
    [
      [128, 1],
      [192, 65],
      [320, 64],
    ],
  );
  free(second);
  assert.equal(allocate(512), undefined);
  assert.equal(allocate(128)!.byteOffset, 192);
});

test('what was given back and touches is one room again, in any order', () => {
  const orders = [
    [0, 1, 2, 3],
    [3, 1, 2, 0],
    [1, 3, 0, 2],
  ];
  for (const order of orders) {
    const { allocate, free } = rooms(buffer, 0, 256);
    const four = [0, 1, 2, 3].map(() => allocate(64)!);
    assert.equal(allocate(1), undefined);
    for (const i of order) free(four[i]!);
    assert.equal(allocate(256)!.byteOffset, 0);
  }
});

test('a buffer of somewhere else is not taken, one given back twice is a mistake', () => {
  const { allocate, free } = rooms(buffer, 0, 256);
  assert.equal(free(new Uint8Array(8)), false);
  const one = allocate(8)!;
  assert.equal(free(one), true);
  assert.throws(() => free(one), RangeError);
});
