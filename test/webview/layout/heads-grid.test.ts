import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gridNeighbour, headsGrid } from '../../../webview/layout/heads-grid.ts';
import { minilm, pruned } from '../summaries.ts';

test('a grid has a row a layer and a column a head', () => {
  const grid = headsGrid(minilm().heads, 6, head => head.parameters)!;
  assert.equal(grid.rows.length, 6);
  assert.equal(grid.columns, 12);
  assert.equal(grid.rows[3]![7]!.parameters, 49_248);
  assert.equal(grid.alike, true);
});

test('a ragged model has empty places at the end of its shorter layers', () => {
  const grid = headsGrid(pruned().heads, 6, head => head.parameters)!;
  assert.deepEqual(
    grid.rows.map(row => row.filter(cell => cell).length),
    [12, 9, 12, 4, 11, 2],
  );
  assert.equal(grid.rows[5]![2], null);
  assert.ok(grid.rows.every(row => row.length === 12));
});

test('levels run from the smallest head to the largest', () => {
  const heads = [10, 20, 40].map((parameters, head) => ({ layer: 0, head, parameters, byteLength: parameters * 4 }));
  const grid = headsGrid(heads, 1, head => head.byteLength)!;
  assert.deepEqual(
    grid.rows[0]!.map(cell => cell!.level),
    [0, 1 / 3, 1],
  );
  assert.equal(grid.alike, false);
});

test('without heads there is no grid', () => {
  assert.equal(
    headsGrid([], 6, head => head.parameters),
    undefined,
  );
});

test('arrows stay inside the grid, Control goes to its corners', () => {
  const grid = headsGrid(minilm().heads, 6, head => head.parameters)!;
  assert.deepEqual(gridNeighbour(grid, 0, 11, 'ArrowRight', false), { layer: 0, head: 11 });
  assert.deepEqual(gridNeighbour(grid, 0, 11, 'ArrowDown', false), { layer: 1, head: 11 });
  assert.deepEqual(gridNeighbour(grid, 3, 7, 'End', false), { layer: 3, head: 11 });
  assert.deepEqual(gridNeighbour(grid, 3, 7, 'End', true), { layer: 5, head: 11 });
  assert.equal(gridNeighbour(grid, 3, 7, 'Tab', false), undefined);
});
