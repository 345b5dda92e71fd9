import assert from 'node:assert/strict';
import { test } from 'node:test';
import { valuesPage } from '../../../src/core/report/values.ts';
import { fp32, noise, tensorOf } from './made.ts';

const all = (rows: number, columns: number) => ({ top: 0, bottom: rows, left: 0, right: columns });

test('a page is the window of the matrix that the leading indices mean', async () => {
  const values = noise(2 * 3 * 5 * 7);
  const tensor = fp32([2, 3, 5, 7], values);
  const page = await valuesPage(tensor, { leading: [1, 2], window: { top: 1, bottom: 3, left: 2, right: 99 } });
  assert.deepEqual(page.window, { top: 1, bottom: 3, left: 2, right: 7 });
  const at = (row: number, column: number) => values[((1 * 3 + 2) * 5 + row) * 7 + column];
  assert.deepEqual(
    page.values,
    [1, 2].map(row => [2, 3, 4, 5, 6].map(column => at(row, column))),
  );
});

test('what JSON has no number for is text: NaN, infinities, integers beyond 2^53', async () => {
  const floats = await valuesPage(fp32([1, 5], [NaN, Infinity, -Infinity, -0, 1e-45]), { leading: [], window: all(1, 5) });
  assert.deepEqual(floats.values, [['NaN', 'Infinity', '-Infinity', -0, Math.fround(1e-45)]]);
  const long = BigInt64Array.of(2n ** 53n + 1n, 2n ** 53n - 1n, -(2n ** 63n));
  const integers = await valuesPage(tensorOf('int64', [3], long), { leading: [], window: all(1, 3) });
  assert.deepEqual(integers.values, [['9007199254740993', 2 ** 53 - 1, '-9223372036854775808']]);
});

test('4-bit elements that begin within a byte, and 8-bit, 16-bit and 64-bit ones', async () => {
  const window = { top: 1, bottom: 2, left: 0, right: 3 };
  const nibbles = tensorOf('uint4', [2, 3], Uint8Array.of(0x21, 0x43, 0x65));
  assert.deepEqual((await valuesPage(nibbles, { leading: [], window })).values, [[4, 5, 6]]);
  const doubles = tensorOf('fp64', [2, 3], Float64Array.of(0, 0, 0, Math.PI, 1e-320, -1e308));
  assert.deepEqual((await valuesPage(doubles, { leading: [], window })).values, [[Math.PI, 1e-320, -1e308]]);
  const bytes = tensorOf('int8', [2, 3], Int8Array.of(0, 0, 0, -128, 127, -1));
  assert.deepEqual((await valuesPage(bytes, { leading: [], window })).values, [[-128, 127, -1]]);
  const halves = tensorOf('fp16', [2, 3], Uint16Array.of(0, 0, 0, 0x3c00, 0x8001, 0x7c00));
  assert.deepEqual((await valuesPage(halves, { leading: [], window })).values, [[1, -(2 ** -24), 'Infinity']]);
});

test('a scalar is one value, an empty tensor none', async () => {
  assert.deepEqual((await valuesPage(fp32([], [3]), { leading: [], window: all(1, 1) })).values, [[3]]);
  assert.deepEqual((await valuesPage(fp32([4, 0], []), { leading: [], window: all(4, 1) })).values, []);
});

test('refused: more than 10,000 values, an index or a window that is not there, text', async () => {
  const tensor = fp32([2, 101, 100], new Float32Array(20200));
  const page = (leading: number[], window = all(1, 1)) => valuesPage(tensor, { leading, window });
  await assert.rejects(page([0], all(101, 100)), { code: 'limit' });
  for (const leading of [[2], [-1], [0.5], [], [0, 0]]) await assert.rejects(page(leading), { code: 'usage' });
  await assert.rejects(page([0], { top: 101, bottom: 102, left: 0, right: 1 }), { code: 'usage' });
  await assert.rejects(valuesPage(tensorOf('string', [1], new Uint8Array(0)), { leading: [], window: all(1, 1) }), {
    code: 'unsupported',
  });
});

test('a page can be cancelled', async () => {
  const controller = new AbortController();
  controller.abort();
  const pending = valuesPage(fp32([2, 2], noise(4)), { leading: [], window: all(2, 2) }, controller.signal);
  await assert.rejects(pending, { code: 'cancelled' });
});
