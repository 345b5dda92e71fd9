import assert from 'node:assert/strict';
import { test } from 'node:test';
import { visibleName } from '../../../webview/layout/names.ts';
import { nextSorting } from '../../../webview/layout/sorting.ts';
import { parentIndex, typeAhead } from '../../../webview/layout/tree-rows.ts';
import { scrollTopShowing, visibleRows } from '../../../webview/layout/visible-rows.ts';

test('only the rows in view and the spare ones are kept', () => {
  assert.deepEqual(visibleRows(0, 220, 22, 20_000, 5), { first: 0, end: 15 });
  assert.deepEqual(visibleRows(220_000, 220, 22, 20_000, 5), { first: 9_995, end: 10_015 });
  assert.deepEqual(visibleRows(440_000, 220, 22, 20_000, 5), { first: 19_995, end: 20_000 });
  assert.deepEqual(visibleRows(100, 220, 22, 0, 5), { first: 0, end: 0 });
});

test('a row is brought into view with the least scrolling', () => {
  assert.equal(scrollTopShowing(3, 0, 220, 22), 0);
  assert.equal(scrollTopShowing(10, 0, 220, 22), 22);
  assert.equal(scrollTopShowing(3, 220, 220, 22), 66);
});

test('a third click on a column gives the order of the model back', () => {
  const first = nextSorting(null, 'bytes', true);
  const second = nextSorting(first, 'bytes', true);
  assert.deepEqual(first, { key: 'bytes', descending: true });
  assert.deepEqual(second, { key: 'bytes', descending: false });
  assert.equal(nextSorting(second, 'bytes', true), null);
  assert.deepEqual(nextSorting(second, 'name', false), { key: 'name', descending: false });
});

test('the parent of a row is the nearest row above with a lower level', () => {
  const rows = [1, 2, 3, 3, 2, 1].map((level, index) => ({ id: String(index), level, posinset: 1, setsize: 1 }));
  assert.deepEqual(
    rows.map((_, index) => parentIndex(rows, index)),
    [-1, 0, 1, 1, 0, -1],
  );
});

test('typing finds the next row that begins so, around the end', () => {
  const names = ['Embeddings', 'Encoder', 'Pooler'];
  assert.equal(
    typeAhead(3, index => names[index]!, 1, 'e'),
    1,
  );
  assert.equal(
    typeAhead(3, index => names[index]!, 2, 'e'),
    0,
  );
  assert.equal(
    typeAhead(3, index => names[index]!, 0, 'x'),
    -1,
  );
});

test('control characters are shown as pictures and long names are cut in the middle', () => {
  assert.equal(visibleName('a\0b\nc\u007fd\u0085'), 'a\u2400b\u240ac\u2421d\ufffd');
  const long = visibleName('x'.repeat(9_999) + 'y', 300);
  assert.equal(long.length, 300);
  assert.ok(long.endsWith('xy'));
});
