import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bins } from '../../../webview/layout/bins.ts';
import { copiedRow, markdown, tsvLine } from '../../../webview/layout/copied.ts';
import { cellAt, headBands, heightOf, pan, whole, widthOf, zoom } from '../../../webview/layout/heat-window.ts';
import { indexModel } from '../../../webview/layout/model-index.ts';
import {
  between,
  firstInView,
  holds,
  moved,
  pagesOf,
  portions,
  scrollLength,
  scrollOf,
} from '../../../webview/layout/value-grid.ts';
import { heatMapOf, weightLike } from '../insides.ts';
import { notBert, tensor } from '../summaries.ts';

test('zooming in ends at 8 x 8 values, however tall the matrix, and zooming out at the whole of it', () => {
  const matrix = { rows: 30_522, columns: 384 };
  let window = whole(matrix);
  for (let step = 0; step < 30; step++) {
    window = zoom(window, matrix, true, 0.9, 0.1);
    if (heightOf(window) > 48) assert.ok(widthOf(window) >= 48, 'columns wait for rows');
    assert.ok(heightOf(window) <= 48 || heightOf(window) >= 96, 'blocks are of one value or of two and more');
    assert.ok(window.left >= 0 && window.right <= 384 && window.top >= 0 && window.bottom <= 30_522);
  }
  assert.deepEqual([heightOf(window), widthOf(window)], [8, 8]);
  for (let step = 0; step < 30; step++) window = zoom(window, matrix, false);
  assert.deepEqual(window, whole(matrix));
});

test('a matrix smaller than 8 x 8 is never cut', () => {
  assert.deepEqual(zoom({ top: 0, bottom: 2, left: 0, right: 5 }, { rows: 2, columns: 5 }, true), {
    top: 0,
    bottom: 2,
    left: 0,
    right: 5,
  });
});

test('panning stops at the edges and keeps the size of the window', () => {
  const window = { top: 10, bottom: 20, left: 10, right: 20 };
  assert.deepEqual(pan(window, { rows: 25, columns: 100 }, 50, -50), { top: 15, bottom: 25, left: 0, right: 10 });
});

test('a point of the map is the cell it is in, with its rows and columns', () => {
  const map = heatMapOf(weightLike(100, 96), { rows: 48, columns: 48 });
  const { window, value } = cellAt(map, 0.999, 0.5);
  assert.deepEqual(window, { top: 50, bottom: 52, left: 94, right: 96 });
  assert.equal(value, map.cells[24 * 48 + 47]);
  assert.deepEqual(cellAt(map, -1, 2).window, { top: 97, bottom: 100, left: 0, right: 2 });
});

test('heads are cut to the window they are seen in; a boundary at the end of the axis is none', () => {
  const map = heatMapOf(weightLike(128, 64, 32), { rows: 48, columns: 48 });
  assert.deepEqual(headBands(map, { top: 16, bottom: 80, left: 0, right: 64 }), [
    { head: 0, from: 0, to: 0.25 },
    { head: 1, from: 0.25, to: 0.75 },
    { head: 2, from: 0.75, to: 1 },
  ]);
  const closed = { ...map, heads: { axis: 'rows' as const, boundaries: [0, 32, 64, 96, 128] } };
  assert.equal(headBands(closed, map.window).length, 4);
});

test('bars are neighbours put together, equally wide, and hold every value once', () => {
  const counts = Array.from({ length: 256 }, (_, bin) => bin);
  const bars = bins({ from: -1, to: 1, counts }, false);
  assert.equal(bars.length, 64);
  assert.equal(
    bars.reduce((sum, { count }) => sum + count, 0),
    counts.reduce((sum, count) => sum + count, 0),
  );
  assert.deepEqual(bars[0], { from: -1, to: -0.96875, count: 6, height: 6 / 1014 });
  assert.equal(bars.at(-1)!.to, 1);
  assert.equal(bins({ from: 0, to: 1, counts: [0, 9, 99] }, true)[1]!.height, 0.5);
  assert.equal(bins({ from: 0, to: 1, counts: new Array(67).fill(1) }, false).length, 67, 'a prime number of bins stays');
});

test("a scroll position and the row on top of it are each other's inverse, also beyond what a browser can draw", () => {
  for (const rows of [10, 1000, 3_000_000, 400_000_000]) {
    assert.ok(scrollLength(rows, 20) <= 12_000_000);
    for (const first of [0, 1, Math.floor(rows / 2), rows - 10]) {
      const scroll = scrollOf(first, 200, rows, 20);
      assert.ok(Math.abs(firstInView(scroll, 200, rows, 20) - first) < 1e-3 * Math.max(1, rows / 1e6), `${first} of ${rows}`);
    }
  }
});

test('pages cover a window and stay inside the matrix; portions hold at most 10,000 values, each once', () => {
  assert.deepEqual(pagesOf({ top: 95, bottom: 105, left: 0, right: 5 }, 103, 7), [
    { top: 0, bottom: 100, left: 0, right: 7 },
    { top: 100, bottom: 103, left: 0, right: 7 },
  ]);
  const parts = portions({ top: 3, bottom: 50, left: 1, right: 25_001 });
  const sizes = parts.map(part => heightOf(part) * widthOf(part));
  assert.ok(sizes.every(size => size <= 10_000));
  assert.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    47 * 25_000,
  );
});

test('keys move through values and stop at the edges', () => {
  assert.deepEqual(moved({ row: 5, column: 5 }, 'PageDown', false, 9, 9, 10), { row: 8, column: 5 });
  assert.deepEqual(moved({ row: 5, column: 5 }, 'Home', true, 9, 9, 10), { row: 0, column: 0 });
  assert.deepEqual(moved({ row: 5, column: 5 }, 'ArrowRight', true, 9, 9, 10), { row: 5, column: 8 });
  assert.equal(moved({ row: 5, column: 5 }, 'x', false, 9, 9, 10), undefined);
  const selection = between({ row: 4, column: 1 }, { row: 2, column: 3 });
  assert.deepEqual(selection, { top: 2, bottom: 5, left: 1, right: 4 });
  assert.ok(holds(selection, { row: 4, column: 3 }) && !holds(selection, { row: 5, column: 3 }));
});

test('a name stays one cell of one line and no formula, in both formats', () => {
  const name = '@SUM(A1)\t\n| <b>*x*';
  const { root } = indexModel(notBert([tensor('a', [2, 3], { title: name })]), node => node.title);
  const row = copiedRow(root.children[0]!, name, 12);
  assert.equal(tsvLine(row), "'@SUM(A1)  | <b>*x*\t6\t24\t50.00%\t2x3\tfp32");
  assert.equal(markdown(['Name'], [row]).split('\n')[2], '| @SUM(A1)  \\| \\<b\\>\\*x\\* | 6 | 24 | 50.00% | 2x3 | fp32 |');
});
