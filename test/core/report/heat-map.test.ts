import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heatMap } from '../../../src/core/report/heat-map.ts';
import { anatomyOf, fp32, layerOf, linearOf, noise, tensorOf } from './made.ts';

const none = anatomyOf();
const rms = (values: number[]): number | null => {
  const finite = values.filter(Number.isFinite);
  return finite.length === 0 ? null : Math.sqrt(finite.reduce((sum, value) => sum + value * value, 0) / finite.length);
};

/** Cells of rows x columns by two loops, of a matrix given by its elements. */
function simply(at: (row: number, column: number) => number, height: number, width: number, rows: number, columns: number) {
  const edge = (i: number, cells: number, length: number) => Math.floor((i * length) / cells);
  return Array.from({ length: rows * columns }, (_, cell) => {
    const [down, across] = [Math.floor(cell / columns), cell % columns];
    const inside: number[] = [];
    for (let r = edge(down, rows, height); r < edge(down + 1, rows, height); r++)
      for (let c = edge(across, columns, width); c < edge(across + 1, columns, width); c++) inside.push(at(r, c));
    return rms(inside);
  });
}

function near(found: readonly (number | null)[], expected: readonly (number | null)[]): void {
  assert.equal(found.length, expected.length);
  found.forEach((cell, i) => {
    if (cell === null || expected[i] === null) assert.equal(cell, expected[i]);
    else assert.ok(Math.abs(cell - expected[i]!) <= 1e-6 * Math.abs(expected[i]!), `cell ${i}: ${cell}, ${expected[i]}`);
  });
}

test('cells are the root mean square of what lies in them within 1e-6, also where NaN and infinities do', async () => {
  const values = noise(301 * 77);
  values[5] = NaN;
  values[80] = -Infinity;
  const found = (await heatMap(fp32([301, 77], values), none, { rows: 10, columns: 7 }))!;
  near(
    found.cells,
    simply((r, c) => values[r * 77 + c]!, 301, 77, 10, 7),
  );
  assert.deepEqual([found.exact, found.transposed, found.from], [false, false, Math.min(...(found.cells as number[]))]);
});

test('a matrix stored [in, out] is turned: cell for cell the map of its transpose', async () => {
  const stored = noise(50 * 30);
  const linear = linearOf(fp32([50, 30], stored, 'w'), 30, 50, { transposed: true });
  const found = (await heatMap(linear.weight, { ...none, linears: [linear] }, { rows: 8, columns: 9 }))!;
  assert.deepEqual([found.matrix, found.transposed], [{ rows: 30, columns: 50 }, true]);
  near(
    found.cells,
    simply((r, c) => stored[c * 30 + r]!, 30, 50, 8, 9),
  );
  const window = { top: 3, bottom: 5, left: 40, right: 43 };
  const close = (await heatMap(linear.weight, { ...none, linears: [linear] }, { window, rows: 9, columns: 9 }))!;
  assert.deepEqual([close.exact, close.rows, close.columns], [true, 2, 3]);
  assert.deepEqual(
    close.cells,
    [3, 4].flatMap(r => [40, 41, 42].map(c => stored[c * 30 + r]!)),
  );
});

test('one value a cell keeps its sign; nothing finite is null; a scalar, a vector and more axes are matrices', async () => {
  const found = (await heatMap(fp32([2, 2], [-1, NaN, -0, 1e-42]), none, { rows: 5, columns: 5 }))!;
  assert.deepEqual(found.cells, [-1, null, 0, Math.fround(1e-42)]);
  assert.deepEqual([found.from, found.to], [-1, Math.fround(1e-42)]);
  assert.deepEqual((await heatMap(fp32([], [4]), none, { rows: 1, columns: 1 }))!.cells, [4]);
  assert.deepEqual((await heatMap(fp32([3], [4, 5, 6]), none, { rows: 3, columns: 3 }))!.matrix, { rows: 1, columns: 3 });
  assert.deepEqual((await heatMap(fp32([2, 3, 4], noise(24)), none, { rows: 3, columns: 3 }))!.matrix, { rows: 6, columns: 4 });
  assert.equal(await heatMap(fp32([0, 3], []), none, { rows: 3, columns: 3 }), null);
  const all = (await heatMap(fp32([1, 2], [NaN, Infinity]), none, { rows: 1, columns: 1 }))!;
  assert.deepEqual([all.cells, all.from, all.to], [[null], 0, 0]);
});

test('int4 is drawn by its integers, and as it acts where its scales are known', async () => {
  const weight = tensorOf('int4', [2, 2], Uint8Array.of(0x71, 0x8f), undefined, 'w');
  const plain = (await heatMap(weight, none, { rows: 2, columns: 2 }))!;
  assert.deepEqual([plain.cells, plain.acting], [[1, 7, -1, -8], false]);
  const linear = linearOf(weight, 2, 2, { form: 'quantized', scale: fp32([2], [0.5, 10]), zeroPoint: fp32([2], [1, 0]) });
  const acts = (await heatMap(weight, { ...none, linears: [linear] }, { rows: 2, columns: 2 }))!;
  assert.deepEqual([acts.cells, acts.acting], [[0, 3, -10, -80], true]);
});

test('heads lie in the rows of query, key and value and in the columns of the output; not where they do not split evenly', async () => {
  const linear = (name: string, out: number, wide: number) => linearOf(fp32([out, wide], noise(out * wide), name), out, wide);
  const organs = [
    linear('q', 6, 8),
    linear('k', 6, 8),
    linear('v', 6, 8),
    linear('o', 8, 6),
    linear('up', 4, 8),
    linear('down', 8, 4),
  ] as const;
  const anatomy = anatomyOf(layerOf(3, 2, organs));
  const headsIn = async (at: number, of = anatomy) => (await heatMap(organs[at]!.weight, of, { rows: 4, columns: 4 }))!.heads;
  assert.deepEqual(await headsIn(1), { axis: 'rows', boundaries: [0, 2, 4, 6] });
  assert.deepEqual(await headsIn(3), { axis: 'columns', boundaries: [0, 2, 4, 6] });
  assert.equal(await headsIn(4), undefined);
  assert.equal(await headsIn(1, anatomyOf(layerOf(4, 2, organs))), undefined);
});

test('a window outside the matrix is refused; one that sticks out is clipped', async () => {
  const tensor = fp32([3, 3], noise(9));
  const request = { rows: 3, columns: 3 };
  await assert.rejects(heatMap(tensor, none, { ...request, window: { top: 3, bottom: 4, left: 0, right: 1 } }), {
    code: 'usage',
  });
  await assert.rejects(heatMap(tensor, none, { ...request, window: { top: 0, bottom: 1.5, left: 0, right: 1 } }), {
    code: 'usage',
  });
  const found = (await heatMap(tensor, none, { ...request, window: { top: 2, bottom: 9, left: -4, right: 2 } }))!;
  assert.deepEqual(found.window, { top: 2, bottom: 3, left: 0, right: 2 });
});

test('a heat map can be cancelled', async () => {
  const controller = new AbortController();
  controller.abort();
  await assert.rejects(heatMap(fp32([3, 3], noise(9)), none, { rows: 3, columns: 3 }, controller.signal), { code: 'cancelled' });
});
