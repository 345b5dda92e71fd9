import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logBuckets } from '../../../src/core/export/log-buckets.ts';

/** The row of a distance, as the graph finds it. */
function rowAt(buckets: number, furthest: number, distance: number): number {
  const { reach, rows } = logBuckets(buckets, furthest);
  return rows[Math.max(-reach, Math.min(reach, distance)) + reach]!;
}

/** Rows from make_log_bucket_position of transformers 5.23 (256 buckets, 512 positions). */
test('distances fall into the rows that transformers puts them in, beyond the last position too', () => {
  for (const [distance, row] of [
    [0, 256],
    [1, 257],
    [-1, 255],
    [128, 384],
    [129, 385],
    [-129, 127],
    [200, 425],
    [-300, 49],
    [450, 500],
    [511, 511],
    [-511, 1],
    [-512, 0],
    [-4000, 0],
    [4000, 511],
  ] as const)
    assert.equal(rowAt(256, 512, distance), row, `distance ${distance}`);
});

test('without buckets each distance has a row of its own, up to the last', () => {
  const { reach, rows } = logBuckets(-1, 4);
  assert.equal(reach, 4);
  assert.deepEqual(rows, [0, 1, 2, 3, 4, 5, 6, 7, 7]);
});
