import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chartOf, columnGlobs, levelOf, unitOf } from '../../../webview/layout/sensitivity-chart.ts';
import { sensitivityOf } from '../sensitivities.ts';

test('matrices stand in rows of layers and columns of their kinds; what is in no layer has a row of its own', () => {
  const { organs, lines, least, most } = chartOf(sensitivityOf('matrices').rows);
  assert.equal(organs.length, 6);
  assert.deepEqual(
    lines.map(({ isWide, cells }) => [isWide, cells.length]),
    [...[0, 1, 2].map(() => [true, 1]), ...[0, 1, 2, 3, 4, 5].map(() => [false, 6])],
  );
  assert.ok(lines[4]!.cells.every(cell => cell?.layer === 1));
  assert.ok(least < 1.2e-5 && most > 4e-3);
});

test('whole layers are a column without a head', () => {
  const { organs, lines } = chartOf(sensitivityOf('layers').rows);
  assert.deepEqual(organs, []);
  assert.equal(lines.length, 8);
  assert.ok(lines.every(({ isWide }) => isWide));
});

test('a drift stands between the least and the most by powers of ten; at most four of them are told apart', () => {
  const chart = chartOf(sensitivityOf('layers').rows.map((row, at) => ({ ...row, drift: 10 ** -at })));
  assert.equal(levelOf(1, chart), 1);
  assert.ok(Math.abs(levelOf(1e-2, chart) - 0.5) < 1e-12);
  assert.equal(levelOf(1e-7, chart), 0);
  assert.equal(levelOf(0, chart), 0);
  assert.equal(levelOf(2, { least: 2, most: 2 }), 1);
  assert.ok(Number.isNaN(chartOf([]).most));
});

test('the pattern of a column names it alone: "output.dense" is also the end of "attention.output.dense"', () => {
  const { rows } = sensitivityOf('matrices');
  assert.deepEqual(columnGlobs(rows, 'attention.self.query'), ['encoder.layer.*.attention.self.query']);
  assert.deepEqual(
    columnGlobs(rows, 'output.dense'),
    [0, 1, 2, 3, 4, 5].map(layer => `encoder.layer.${layer}.output.dense`),
  );
});

test('cells are multiples of the power of ten that gives the largest one digit before the point', () => {
  assert.deepEqual(
    [0.0045, 0.001, 9.9e-7, 1.2].map(most => unitOf({ most })),
    [-3, -3, -7, 0],
  );
  assert.equal(unitOf({ most: Number.NaN }), 0);
});
