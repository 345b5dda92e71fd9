import assert from 'node:assert/strict';
import { test } from 'node:test';
import { between, everyHead, headsOfLayer, pruningOf, toggled } from '../../../webview/layout/head-selection.ts';
import { headsGrid } from '../../../webview/layout/heads-grid.ts';

/** Layers of 3, 2 and 3 heads of 100 parameters and 40 bytes. */
const heads = [3, 2, 3].flatMap((count, layer) =>
  Array.from({ length: count }, (_, head) => ({ layer, head, parameters: 100, byteLength: 40 })),
);
const grid = headsGrid(heads, 3, head => head.parameters)!;

test('a rectangle holds the heads between two places in any order, and none where the model has none', () => {
  assert.deepEqual(between(grid, { layer: 2, head: 2 }, { layer: 1, head: 1 }), ['1 1', '2 1', '2 2']);
  assert.deepEqual(headsOfLayer(grid, 1), ['1 0', '1 1']);
  assert.equal(everyHead(grid).length, 8);
});

test('toggling takes keys out only when all of them are in', () => {
  assert.deepEqual([...toggled(new Set(['0 0', '0 1']), ['0 1', '0 2'])], ['0 0', '0 1', '0 2']);
  assert.deepEqual([...toggled(new Set(['0 0', '0 1']), ['0 0', '0 1'])], []);
});

test('what is selected sums to what it saves, by layer in the order of heads; a layer without heads left is named', () => {
  const some = pruningOf(grid, new Set(['2 1', '0 2', '0 0']));
  assert.deepEqual(some.remove, { 0: [0, 2], 2: [1] });
  assert.deepEqual([some.parameters, some.byteLength], [300, 120]);
  assert.deepEqual([some.emptied, some.wholeLayers], [[], false]);
  const layer = pruningOf(grid, new Set(['1 0', '1 1']));
  assert.deepEqual([layer.emptied, layer.wholeLayers], [[1], true]);
  const mixed = pruningOf(grid, new Set(['1 0', '1 1', '2 0']));
  assert.deepEqual([mixed.emptied, mixed.wholeLayers], [[1], false]);
  assert.equal(pruningOf(grid, new Set(everyHead(grid))).wholeLayers, false, 'all layers cannot go');
});
