import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sameMatrix, sameNumbers } from '../../../src/core/anatomy/same.ts';
import { fail } from '../../../src/core/errors.ts';
import { floats, made } from './made-models.ts';

const [rows, columns] = [50, 40];
const value = (row: number, column: number, seed = 1) => Math.sin(seed * (row * 41 + column * 7 + 1)) * (1 + row / 10);
const matrix = (seed = 1) => Array.from({ length: rows * columns }, (_, i) => value(Math.floor(i / columns), i % columns, seed));
const turned = (numbers: readonly number[]) =>
  Array.from({ length: rows * columns }, (_, i) => numbers[(i % rows) * columns + Math.floor(i / rows)]!);
const dense = (numbers: readonly number[], name = 'w') => ({
  weight: made(name, [rows, columns], 'fp32', floats(...numbers)),
  out: rows,
  in: columns,
  transposed: false,
});
const flipped = (numbers: readonly number[]) => ({
  ...dense(numbers),
  weight: made('wt', [columns, rows], 'fp32', floats(...turned(numbers))),
  transposed: true,
});

/** uint8 around 128, one scale a row. */
function quantized(numbers: readonly number[]) {
  const scales = Array.from(
    { length: rows },
    (_, row) => Math.max(...numbers.slice(row * columns, (row + 1) * columns).map(Math.abs)) / 127,
  );
  const integers = Uint8Array.from(numbers, (number, i) => Math.round(number / scales[Math.floor(i / columns)]!) + 128);
  return {
    ...dense(numbers),
    weight: made('w8', [rows, columns], 'uint8', integers),
    scale: made('s', [rows, 1], 'fp32', floats(...scales)),
    zeroPoint: made('z', [], 'uint8', Uint8Array.of(128)),
  };
}

test('a matrix equals its copy, its transpose, and its int8 form within half a step', async () => {
  const numbers = matrix();
  assert.equal(await sameMatrix(dense(numbers), dense(numbers, 'copy')), true);
  assert.equal(await sameMatrix(dense(numbers), flipped(numbers)), true);
  assert.equal(await sameMatrix(dense(numbers), quantized(numbers)), true);
  assert.equal(await sameMatrix(flipped(numbers), quantized(numbers)), true);
});

test('another matrix of the same shape is not the same, dense or quantized', async () => {
  assert.equal(await sameMatrix(dense(matrix()), dense(matrix(2))), false);
  assert.equal(await sameMatrix(dense(matrix()), flipped(matrix(2))), false);
  assert.equal(await sameMatrix(dense(matrix()), quantized(matrix(2))), false);
  assert.equal(await sameMatrix(dense(matrix()), quantized(matrix().map(number => number * 1.05))), false);
});

test('matrices of zeros say nothing: a transpose of zeros is not taken for a copy', async () => {
  const zeros = Array(rows * columns).fill(0);
  assert.equal(await sameMatrix(dense(zeros), flipped(zeros)), false);
});

test('tensors up to 4096 bytes are compared whole', async () => {
  const numbers = matrix().slice(0, 1000);
  const tensor = (name: string, change: number) => made(name, [1000], 'fp32', floats(...numbers.with(777, change)));
  assert.equal(await sameNumbers(tensor('a', 1), tensor('b', 1)), true);
  assert.equal(await sameNumbers(tensor('a', 1), tensor('b', 2)), false);
});

test('data that cannot be read is the same as nothing; a cancelled read rejects', async () => {
  const broken = (code: 'truncated' | 'cancelled') => ({
    ...dense(matrix()),
    weight: { ...made('b', [rows, columns]), bytes: () => Promise.reject(fail(code, 'No.')) },
  });
  assert.equal(await sameMatrix(dense(matrix()), broken('truncated')), false);
  await assert.rejects(sameMatrix(dense(matrix()), broken('cancelled')), { code: 'cancelled' });
});
