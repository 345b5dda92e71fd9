import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReadAhead } from '../../../src/core/export/read-ahead.ts';
import { widened } from '../../../src/core/export/stored.ts';
import { turned } from '../../../src/core/export/turned.ts';
import type { Tensor } from '../../../src/core/tensor/tensor.ts';

/** A matrix whose number in row r and column c is 1000 r + c, and the bytes asked of it at once. */
function counted(rows: number, columns: number): { readonly tensor: Tensor; readonly asked: number[] } {
  const values = Float32Array.from({ length: rows * columns }, (_, at) => 1000 * Math.floor(at / columns) + (at % columns));
  const all = new Uint8Array(values.buffer);
  const asked: number[] = [];
  const bytes = async (start = 0, end = all.length) => {
    asked.push(end - start);
    return all.slice(start, end);
  };
  const bytesInto = async (into: Uint8Array, start: number) => into.set(await bytes(start, start + into.length));
  return { tensor: { name: 'w', dtype: 'fp32', shape: [rows, columns], byteLength: all.length, bytes, bytesInto }, asked };
}

const floats = (bytes: Uint8Array): number[] => [...new Float32Array(bytes.slice().buffer)];

test('a turned matrix has columns for rows, whatever band it is made in', async () => {
  for (const bandBytes of [1, 4 * 70 * 3, 2 ** 20]) {
    const matrix = turned(counted(70, 45).tensor, 'w', new ReadAhead(), bandBytes);
    assert.deepEqual(matrix.shape, [45, 70]);
    const values = floats(await matrix.bytes());
    for (let c = 0; c < 45; c++) for (let r = 0; r < 70; r++) assert.equal(values[c * 70 + r], 1000 * r + c);
  }
});

test('a turned matrix fills a buffer of its caller, all of it or a part', async () => {
  const whole = await turned(counted(70, 45).tensor, 'w').bytes();
  const matrix = turned(counted(70, 45).tensor, 'w');
  for (const [start, end] of [
    [0, 12_600],
    [40, 9000],
  ] as const) {
    const into = new Uint8Array(end - start);
    await matrix.bytesInto!(into, start);
    assert.deepEqual(into, whole.slice(start, end));
  }
});

test('any run of a turned matrix is that run of the whole, asked for in any order and at once', async () => {
  const whole = await turned(counted(70, 45).tensor, 'w').bytes();
  const matrix = turned(counted(70, 45).tensor, 'w', new ReadAhead(), 4 * 70 * 4);
  const runs = [
    [8000, 12600],
    [0, 4000],
    [3, 9001],
    [100, 121],
    [12_599, 12_600],
  ] as const;
  const read = await Promise.all(runs.map(([start, end]) => matrix.bytes(start, end)));
  for (const [index, [start, end]] of runs.entries()) assert.deepEqual(read[index]!.slice(), whole.slice(start, end));
});

test('a few numbers of a turned matrix are read one by one, not the matrix', async () => {
  const { tensor, asked } = counted(300, 200);
  assert.deepEqual(floats(await turned(tensor, 'w').bytes(4 * 299, 4 * 301)), [299_000, 1]);
  assert.deepEqual(asked, [4, 4]);
});

test('fp16 is widened exactly, from any byte', async () => {
  const halves = Uint16Array.of(0x3c00, 0xc000, 0x3555, 0x7bff);
  const bytes = new Uint8Array(halves.buffer);
  const source: Tensor = {
    name: 'w',
    dtype: 'fp16',
    shape: [4],
    byteLength: 8,
    bytes: async (start, end) => bytes.slice(start, end),
  };
  const wide = widened(source, 'v');
  assert.deepEqual([wide.name, wide.dtype, wide.byteLength], ['v', 'fp32', 16]);
  assert.deepEqual(floats(await wide.bytes()), [1, -2, 0.333251953125, 65504]);
  assert.deepEqual((await wide.bytes(5, 11)).slice(), (await wide.bytes()).slice(5, 11));
});

test('while a matrix is turned the next is read; both are what they are without, in order and out of order', async () => {
  const sources = [counted(70, 45), counted(33, 20), counted(8, 8)];
  const wanted = await Promise.all(sources.map(({ tensor }) => turned(tensor, 'w').bytes()));
  const ahead = new ReadAhead();
  const matrices = sources.map(({ tensor }) => turned(tensor, 'w', ahead));
  for (const { asked } of sources) asked.length = 0;
  for (const index of [0, 1, 2, 0, 2, 1]) {
    const into = new Uint8Array(matrices[index]!.byteLength);
    await matrices[index]!.bytesInto!(into, 0);
    assert.deepEqual(into, wanted[index]);
    if (index === 0) assert.equal(sources[1]!.asked.length > 0, true);
  }
});

test('a next matrix that cannot be read is an error of its own, not of the one before', async () => {
  const ahead = new ReadAhead();
  const first = turned(counted(8, 8).tensor, 'a', ahead);
  const broken = async () => Promise.reject(new Error('gone'));
  const second = turned({ ...counted(8, 8).tensor, bytesInto: broken }, 'b', ahead);
  const into = new Uint8Array(256);
  await first.bytesInto!(into, 0);
  await assert.rejects(second.bytesInto!(into, 0), /gone/);
});
