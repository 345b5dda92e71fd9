import assert from 'node:assert/strict';
import { test } from 'node:test';
import { perplexityOf } from '../../src/core/evaluation/metrics/pseudo-perplexity.ts';
import {
  classificationMetrics,
  driftMetrics,
  entityMetrics,
  metricsOfTasks,
  questionMetrics,
  similarityMetrics,
} from '../../src/core/evaluation/metrics/registry.ts';
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

/** Predictions that are right, and others that are not, for each kind of task. */
const numbers = [
  ...similarityMetrics.map(metric => ({ metric, right: [0, 1.5, 3, 4, 5], other: [3, 0, 4, 5, 1] })),
  ...classificationMetrics.map(metric => ({ metric, right: [0, 1, 1, 0, 1], other: [1, 1, 0, 0, 1] })),
];

for (const { metric, right, other } of numbers) {
  test(`${metric.id}: predictions that are all right give 1 within 1e-12, others less`, () => {
    assert.ok(Math.abs(metric.of(right, right) - 1) < 1e-12);
    assert.ok(metric.of(other, right) < 0.99);
  });
}

for (const metric of questionMetrics) {
  test(`${metric.id}: answers that are all right give 1 within 1e-12, others less`, () => {
    const right = [['the Ice Age', 'ice age'], [], ['1870']];
    assert.ok(Math.abs(metric.of(['ice age', '', '1870'], right) - 1) < 1e-12);
    assert.ok(metric.of(['age', '', '1871'], right) < 0.99);
  });
}

for (const metric of entityMetrics) {
  test(`${metric.id}: tags that are all right give 1 within 1e-12, others less`, () => {
    const right = [
      ['B-PER', 'I-PER', 'O', 'B-LOC'],
      ['O', 'B-ORG'],
    ];
    assert.ok(Math.abs(metric.of(right, right) - 1) < 1e-12);
    assert.ok(
      metric.of(
        [
          ['B-PER', 'O', 'O', 'B-LOC'],
          ['O', 'O'],
        ],
        right,
      ) < 0.99,
    );
  });
}

test('pseudo-perplexity: tokens that are certain give 1, tokens of probability 1/8 give 8 within 1e-12', () => {
  assert.equal(perplexityOf([0, 0, 0]), 1);
  assert.ok(Math.abs(perplexityOf([Math.log(1 / 8), Math.log(1 / 8)]) - 8) < 1e-12);
});

test('each metric of a task has its own name', () => {
  const ids = metricsOfTasks.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
});

const of = (id: string, predicted: number[], expected: number[]): number =>
  [...similarityMetrics, ...classificationMetrics].find(metric => metric.id === id)!.of(predicted, expected);

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

// The example of seqeval's README: 'default' gives 0.50 for these tags; and the one of its section on strict mode.
const readme = {
  expected: [
    ['O', 'O', 'O', 'B-MISC', 'I-MISC', 'I-MISC', 'O'],
    ['B-PER', 'I-PER', 'O'],
  ],
  predicted: [
    ['O', 'O', 'B-MISC', 'I-MISC', 'I-MISC', 'I-MISC', 'O'],
    ['B-PER', 'I-PER', 'O'],
  ],
};
const entity = (id: string, predicted: readonly string[][], expected: readonly string[][]): number =>
  entityMetrics.find(metric => metric.id === id)!.of(predicted, expected);

test('entity-f1 of the example of seqeval’s README is 0.50, in both modes', () => {
  assert.equal(entity('entity-f1', readme.predicted, readme.expected), 0.5);
  assert.equal(entity('entity-f1-strict', readme.predicted, readme.expected), 0.5);
});

test('an entity that begins with I counts in conlleval’s reading, and not in the strict one', () => {
  // seqeval's README: y_true B-NP I-NP O, y_pred I-NP I-NP O: 1.00 by default, 0.00 strict.
  assert.equal(entity('entity-f1', [['I-NP', 'I-NP', 'O']], [['B-NP', 'I-NP', 'O']]), 1);
  assert.equal(entity('entity-f1-strict', [['I-NP', 'I-NP', 'O']], [['B-NP', 'I-NP', 'O']]), 0);
});

test('entities of two types side by side are two, and BIOES is read too', () => {
  assert.equal(entity('entity-f1', [['I-LOC', 'I-PER']], [['B-LOC', 'B-PER']]), 1);
  assert.equal(entity('entity-f1', [['B-LOC', 'E-LOC', 'S-PER']], [['B-LOC', 'I-LOC', 'B-PER']]), 1);
});

test('answers are compared as SQuAD does: without case, punctuation and articles, word by word', () => {
  const question = (id: string, predicted: string, ...right: string[]): number =>
    questionMetrics.find(metric => metric.id === id)!.of([predicted], [right]);
  assert.equal(question('exact-match', 'The  “Ice Age”, an era!', 'ice age”  era'), 0);
  assert.equal(question('exact-match', 'The  "Ice Age", an era!', 'ice age  era'), 1);
  // 3 of 4 and 3 of 3 words: 2 * 3 / 7. The better of two answers counts.
  assert.ok(Math.abs(question('span-f1', 'the Denver Broncos won it', 'nobody', 'Broncos won it') - 6 / 7) < 1e-12);
  assert.equal(question('span-f1', 'something'), 0);
  assert.equal(question('span-f1', ''), 1);
});
