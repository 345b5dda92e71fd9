import assert from 'node:assert/strict';
import { test } from 'node:test';
import { driftMetrics, qualityMetrics } from '../../src/core/evaluation/metrics/registry.ts';
import type { TextOutput } from '../../src/core/evaluation/outputs.ts';

const output = (values: number[], logits?: number[]): TextOutput => ({
  vector: Float32Array.from(values),
  values: Float32Array.from(values),
  logits: logits && Float32Array.from(logits),
  classes: logits ? 3 : 0,
});

const before = output([0.5, -1, 2, 0.25], [2, 1, -1, 0, 3, -2]);
const after = output([0.5, 1, -2, 0.5], [1, 2, -1, 0, -3, 2]);

for (const metric of driftMetrics) {
  test(`${metric.id}: a model against itself gives ${metric.neutral} within 1e-12, another one does not`, () => {
    const same = metric.of(before, before);
    assert.ok(same.length > 0);
    for (const value of same) assert.ok(Math.abs(value - metric.neutral) < 1e-12, String(value));
    assert.ok(metric.of(before, after).every(value => Math.abs(value - metric.neutral) > 1e-3));
  });

  test(`${metric.id}: outputs that do not fit each other give nothing`, () => {
    assert.deepEqual(metric.of(before, output([1, 2])), []);
  });
}

for (const metric of qualityMetrics) {
  const expected = metric.kind === 'similarity' ? [0, 1.5, 3, 4, 5] : [0, 1, 1, 0, 1];
  const other = metric.kind === 'similarity' ? [3, 0, 4, 5, 1] : [1, 1, 0, 0, 1];

  test(`${metric.id}: predictions that are all right give 1 within 1e-12, others less`, () => {
    assert.ok(Math.abs(metric.of(expected, expected) - 1) < 1e-12);
    assert.ok(metric.of(other, expected) < 0.99);
  });
}

const of = (id: string, predicted: number[], expected: number[]): number =>
  qualityMetrics.find(metric => metric.id === id)!.of(predicted, expected);

test('kl of (softmax of) [0, ln 3] from [0, 0] is ln(2/sqrt 3) within 1e-6', () => {
  const row = (logits: number[]): TextOutput => ({ ...output(logits, logits), classes: 2 });
  const [kl] = driftMetrics.find(metric => metric.id === 'kl')!.of(row([0, 0]), row([0, Math.log(3)]));
  assert.ok(Math.abs(kl! - Math.log(2 / Math.sqrt(3))) < 1e-6, String(kl));
});

test('spearman with ties shares ranks: [1, 2, 2, 4] against [1, 2, 3, 4] is 0.94868 within 1e-5', () => {
  assert.ok(Math.abs(of('spearman', [1, 2, 2, 4], [1, 2, 3, 4]) - 0.9486833) < 1e-5);
});

test('f1 of two classes is that of class 1; of three the mean over classes', () => {
  // 1 true positive, 1 false positive, 1 false negative
  assert.equal(of('f1', [1, 1, 0, 0], [1, 0, 1, 0]), 0.5);
  // classes 0: 2/3, 1: 2/3, 2: 1
  assert.ok(Math.abs(of('f1', [0, 1, 1, 2], [0, 0, 1, 2]) - 7 / 9) < 1e-12);
});

test('matthews of one right and one wrong in each of two classes is 0; of a constant it is undefined', () => {
  assert.equal(of('matthews', [0, 1, 0, 1], [0, 0, 1, 1]), 0);
  assert.ok(Number.isNaN(of('matthews', [1, 1], [0, 1])));
});
