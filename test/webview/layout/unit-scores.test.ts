import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cheapest } from '../../../src/core/passes/prune/units.ts';
import { lossAt, lowestFirst, removeOf, scaleOf, sortedLine } from '../../../webview/layout/unit-scores.ts';

const layers = [
  { layer: 0, scores: [3, 1, 2] },
  { layer: 2, scores: [0.5, 0.25] },
  { layer: 3, scores: [1, 1, 1, 9] },
];

test('for every count the lowest units are those that the passes take', () => {
  const scores = new Map(layers.map(({ layer, scores }) => [layer, scores]));
  const order = lowestFirst(layers);
  assert.equal(order.length, 6);
  for (let count = 0; count <= order.length; count++) {
    const expected = Object.fromEntries([...cheapest(scores, count)].map(([layer, units]) => [layer, [...units]]));
    assert.deepEqual(removeOf(order.slice(0, count)), expected);
  }
});

test('the loss lies on straight lines between what was measured, from nothing at nothing', () => {
  const loss = { fraction: [0.1, 0.5], drift: [0.01, 0.21], texts: 64 };
  const near = (at: number, expected: number) => assert.ok(Math.abs(lossAt(loss, at) - expected) < 1e-12, `${lossAt(loss, at)}`);
  near(0, 0);
  near(0.05, 0.005);
  near(0.1, 0.01);
  near(0.3, 0.11);
  near(0.5, 0.21);
  near(0.9, 0.21);
});

test('a scale is one of powers of ten where scores lie far apart; zeros lie at its foot', () => {
  const near = scaleOf([1, 2, 3]);
  assert.equal(near.log, false);
  assert.deepEqual([1, 2, 3].map(near.level), [0, 0.5, 1]);
  const far = scaleOf([0, 0.001, 0.1, 10]);
  assert.equal(far.log, true);
  assert.deepEqual([0, 0.001, 10].map(far.level), [0, 0, 1]);
  assert.ok(Math.abs(far.level(0.1) - 0.5) < 1e-12);
  assert.deepEqual([0, 0].map(scaleOf([0, 0]).level), [0, 0]);
});

test('a line of many scores has a corner for each pixel at most', () => {
  const sorted = Array.from({ length: 9216 }, (_, at) => at);
  assert.equal(sortedLine(sorted, scaleOf(sorted), 200, 100).split(' ').length, 200);
  assert.equal(sortedLine([1, 2], scaleOf([1, 2]), 200, 100), '0.0,100.0 200.0,0.0');
});
