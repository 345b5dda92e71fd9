import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byNumber, monotoneMatch } from '../../../../src/core/evaluation/probe/align.ts';
import { Alignment, centredKernel, ckaOf } from '../../../../src/core/evaluation/probe/cka.ts';

/** Every rising choice of `rows` out of `columns`. */
function choices(rows: number, columns: number, from = 0): number[][] {
  if (rows === 0) return [[]];
  return Array.from({ length: Math.max(0, columns - from) }, (_, i) => from + i).flatMap(first =>
    choices(rows - 1, columns, first + 1).map(rest => [first, ...rest]),
  );
}

test('the match reaches the largest sum there is, as trying every rising choice shows', () => {
  let state = 7;
  const next = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647 - 0.3;
  };
  for (const [rows, columns] of [
    [1, 1],
    [1, 5],
    [3, 3],
    [2, 6],
    [4, 7],
  ] as const)
    for (let trial = 0; trial < 20; trial++) {
      const similarity = Array.from({ length: rows }, () => Array.from({ length: columns }, next));
      const sum = (match: readonly number[]) => match.reduce((total, column, row) => total + similarity[row]![column]!, 0);
      const found = monotoneMatch(similarity);
      assert.equal(found.length, rows);
      assert.ok(found.every((column, row) => row === 0 || column > found[row - 1]!));
      assert.ok(Math.abs(sum(found) - Math.max(...choices(rows, columns).map(sum))) < 1e-12);
    }
});

test('numbers that names kept say which layer is which, where the other model has them all', () => {
  const all = [0, 1, 2, 3, 4, 5];
  assert.deepEqual(
    [byNumber([0, 2, 5], all), byNumber([0, 2, 6], all), byNumber(undefined, all)],
    [[0, 2, 5], undefined, undefined],
  );
  assert.deepEqual(byNumber([1, 5], [0, 1, 3, 5]), [1, 3]);
});

const x = Float32Array.of(1, 2, 0, 0, 1, -1, 3, -2, 1, 2, 2, 5, -1, 0.5, 2);
const y = Float32Array.of(0.5, 1, 2, -1, 0, 3, 1, 1, -2, 0.25);
/** numpy 2.4: |X^T Y|^2 / (|X^T X| |Y^T Y|) with centred columns. */
const byNumpy = 0.3775244517262802;

test('CKA of five tokens is that of numpy within 1e-12, by features and by tokens, in one piece and in two', () => {
  const whole = new Alignment(3, 2);
  whole.add(x, y, 5);
  const parts = new Alignment(3, 2);
  parts.add(x.subarray(0, 6), y.subarray(0, 4), 2);
  parts.add(x.subarray(6), y.subarray(4), 3);
  for (const value of [whole.value(), parts.value(), ckaOf(centredKernel(x, 5), centredKernel(y, 5))])
    assert.ok(Math.abs(value - byNumpy) < 1e-12, String(value));
});

test('CKA is 1 within 1e-12 for what is turned, moved and scaled, and undefined for one token', () => {
  const turned = new Float32Array(15);
  for (let t = 0; t < 5; t++) turned.set([2 * x[3 * t + 1]! + 4, -2 * x[3 * t]!, 2 * x[3 * t + 2]! - 8], 3 * t);
  const alignment = new Alignment(3, 3);
  alignment.add(x, turned, 5);
  assert.ok(Math.abs(alignment.value() - 1) < 1e-12);
  const one = new Alignment(3, 2);
  one.add(x, y, 1);
  assert.ok(Number.isNaN(one.value()));
});
