import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Pooling, type PoolingMode, poolingModes } from '../../../src/core/export/pooling.ts';
import { numbersOf } from '../passes/run.ts';
import { furthest, outputsOf, written } from './exported.ts';
import { fromFormula, tensorOf } from './formula.ts';

// B batch, T tokens, C hidden

const truth = JSON.parse(readFileSync(join(import.meta.dirname, 'truths.json'), 'utf8')).find(
  (each: any) => each.class === 'MPNetModel',
);
const mask_BT: number[][] = [
  [1, 1, 1, 1, 1, 1, 1, 1, 1],
  [1, 1, 1, 1, 0, 0, 0, 0, 0],
];

/** One row of token vectors to one vector, as Pooling.forward of sentence-transformers 5 computes it. */
const ways: Readonly<Record<PoolingMode, (rows_TC: number[][], mask_T: number[]) => number[]>> = {
  cls: ([first]) => first!,
  max: (rows, mask) => rows[0]!.map((_, c) => Math.max(...rows.flatMap((row, t) => (mask[t] ? [row[c]!] : [])))),
  mean: (rows, mask) => weighed(rows, mask, sum(mask)),
  mean_sqrt_len: (rows, mask) => weighed(rows, mask, Math.sqrt(sum(mask))),
  weightedmean: (rows, mask) => {
    const weights = mask.map((seen, t) => seen * (t + 1));
    return weighed(rows, weights, sum(weights));
  },
  lasttoken: (rows, mask) => rows[mask.lastIndexOf(1)]!,
};
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const weighed = (rows: number[][], weights: number[], by: number): number[] =>
  rows[0]!.map((_, c) => sum(rows.map((row, t) => row[c]! * weights[t]!)) / by);

async function pooled(pooling: Pooling) {
  const body = await fromFormula(truth.tensors, truth.config);
  const { values } = await outputsOf(await written(body, pooling), { ...truth.inputs, attention_mask: mask_BT });
  const [, tokens, width] = values.last_hidden_state!.dims as [number, number, number];
  const hidden = [...numbersOf(values.last_hidden_state!)];
  const row = (b: number, t: number) => hidden.slice((b * tokens + t) * width, (b * tokens + t + 1) * width);
  const rows_BTC = mask_BT.map((mask, b) => mask.map((_, t) => row(b, t)));
  return { dims: values.sentence_embedding!.dims, made: numbersOf(values.sentence_embedding!), rows_BTC };
}

for (const mode of poolingModes)
  test(`pooling by ${mode} gives sentence-transformers' vector within 1e-6, under a mask`, async () => {
    const { dims, made, rows_BTC } = await pooled({ modes: [mode], steps: [] });
    assert.deepEqual(dims, [2, 8]);
    assert.ok(
      furthest(
        made,
        rows_BTC.flatMap((rows, b) => ways[mode](rows, mask_BT[b]!)),
      ) <= 1e-6,
    );
  });

test('vectors of several ways stand side by side, go through a matrix and tanh, and become of unit length, within 1e-6', async () => {
  const weight = tensorOf('2_Dense/linear.weight', [5, 16]);
  const bias = tensorOf('2_Dense/linear.bias', [5]);
  const { dims, made, rows_BTC } = await pooled({
    modes: ['cls', 'mean'],
    steps: [{ kind: 'dense', weight, bias, activation: 'tanh' }, { kind: 'normalize' }],
  });
  assert.deepEqual(dims, [2, 5]);
  const numbers = async (tensor: typeof weight) => [...new Float32Array((await tensor.bytes()).slice().buffer)];
  const [matrix, offsets] = [await numbers(weight), await numbers(bias)];
  const wanted = rows_BTC.flatMap((rows, b) => {
    const both = [...ways.cls(rows, mask_BT[b]!), ...ways.mean(rows, mask_BT[b]!)];
    const active = offsets.map((offset, o) => Math.tanh(offset + sum(both.map((value, i) => value * matrix[o * 16 + i]!))));
    return active.map(value => value / Math.hypot(...active));
  });
  assert.ok(furthest(made, wanted) <= 1e-6);
});

test('a matrix that does not fit what is pooled is an error that says both widths', async () => {
  const weight = tensorOf('2_Dense/linear.weight', [5, 16]);
  await assert.rejects(pooled({ modes: ['mean'], steps: [{ kind: 'dense', weight, activation: 'linear' }] }), {
    code: 'malformed',
    message: /2_Dense\/linear\.weight behind the pooling reads 16 numbers; the step before gives 8/,
  });
});
