import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import type { TextVectors } from '../../../src/core/calibration/calibration.ts';
import type { Edit } from '../../../src/core/passes/pass.ts';
import { summarize } from '../../../src/core/report/summary.ts';
import { apply } from '../../../src/core/rewrite/apply.ts';
import { openCalibration } from '../../../src/core/session/calibrate.ts';
import { openPath } from '../../../src/core/session/open.ts';

const generated = resolve(import.meta.dirname, '../../../../shared/generated');
const skip = existsSync(generated) ? false : 'skipped: no generated models';
const texts = ['a b c', 'd', 'the cat sat on the mat', 'x y z w', 'one two'];

const models = [
  'bert-base/model.safetensors',
  'bert-base/model.torchscript.onnx',
  'bert-base/model.sdpa.onnx',
  'bert-base/model.dynamo.onnx',
  'bert-base/model.ort-fused.onnx',
  'distilbert-base/model.torchscript.onnx',
  'distilbert-base/model.ort-fused.onnx',
  'roberta-base/model.dynamo.onnx',
  'electra-base/model.torchscript.onnx',
  'bert-question-answering/model.torchscript.onnx',
  'onnx-external-bert/model.onnx',
  'pruned-heads-bert/model.torchscript.onnx',
  'pruned-heads-bert/model.safetensors',
];

const farthest = (a: TextVectors, b: TextVectors): number =>
  a.pooled.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b.pooled[i]!)), 0);

for (const name of models)
  test(`${name}: without a head here and two neurons there it gives what it gives with these masked, to 1e-5`, {
    skip,
  }, async () => {
    const opened = await openPath(join(generated, name));
    const calibration = await openCalibration(opened, opened, texts);
    try {
      const { layers } = opened.anatomy;
      const [first, last] = [layers[0]!, layers.at(-1)!];
      const edits: Edit[] = [
        { kind: 'remove-heads', layer: 0, heads: [1] },
        { kind: 'remove-neurons', layer: layers.length - 1, neurons: [1, 3] },
      ];
      const heads = new Float32Array(first.output.in).fill(1).fill(0, first.headDim, 2 * first.headDim);
      const neurons = new Float32Array(last.down.in).fill(1);
      neurons[1] = neurons[3] = 0;
      const gated = await calibration.gated([first.output.id, last.down.id]);
      const masked = await gated.run(
        new Map([
          [first.output.id, heads],
          [last.down.id, neurons],
        ]),
      );
      await gated.close();
      assert.ok(farthest(masked, await calibration.vectors([])) > 1e-3, 'the mask changes something');
      assert.ok(farthest(masked, await calibration.vectors(edits)) < 1e-5);
      const pruned = await apply(opened, { edits, skipped: [] });
      const [before, after] = [opened, pruned].map(({ model, anatomy }) => summarize(model, anatomy));
      assert.equal(pruned.anatomy.layers[0]!.heads, first.heads - 1);
      assert.equal(pruned.anatomy.layers[0]!.headDim, first.headDim);
      assert.equal(pruned.anatomy.layers.at(-1)!.up.out, last.up.out - 2);
      const head = before!.heads.find(each => each.layer === 0 && each.head === 1)!;
      const neuron = last.up.in + 1 + last.down.out;
      assert.equal(after!.model.parameters, before!.model.parameters - head.parameters - 2 * neuron);
      assert.deepEqual(pruned.anatomy.unclaimed, []);
    } finally {
      await calibration.close();
      await opened.close();
    }
  });

for (const name of ['bert-base/model.safetensors', 'bert-base/model.torchscript.onnx', 'bert-base/model.dynamo.onnx'])
  test(`${name}: without its last layer it ends where the original's last but one does, to 1e-5`, { skip }, async () => {
    const opened = await openPath(join(generated, name));
    const calibration = await openCalibration(opened, opened, texts);
    try {
      const { layers } = opened.anatomy;
      const walk = await calibration.walk();
      let expected = 0;
      while (walk.at && walk.at.layer < layers.length - 1) {
        const isEnd = walk.at.layer === layers.length - 2 && walk.at.part === 'feed-forward';
        if (isEnd)
          await walk.observe('original', ['output'], [], batch => {
            for (const value of batch.get('output')) expected += value;
          });
        await walk.advance([]);
      }
      const found = await calibration.vectors([{ kind: 'remove-layers', layers: [layers.length - 1] }]);
      let sum = 0;
      for (const [i, value] of found.pooled.entries()) sum += value * calibration.ids[Math.floor(i / found.width)]!.length;
      assert.ok(Math.abs(sum - expected) < 1e-5 * calibration.tokens * found.width, `${sum} is not ${expected}`);
      const fewer = await apply(opened, { edits: [{ kind: 'remove-layers', layers: [0] }], skipped: [] });
      assert.equal(fewer.anatomy.layers.length, layers.length - 1);
      assert.deepEqual(
        fewer.anatomy.layers.map(({ index }) => index),
        layers.slice(1).map((_, index) => index),
      );
    } finally {
      await calibration.close();
      await opened.close();
    }
  });

test('config.json names the heads of all prunings as the unpruned model numbered them', { skip }, async () => {
  const opened = await openPath(join(generated, 'bert-base/model.safetensors'));
  try {
    const once = await apply(opened, { edits: [{ kind: 'remove-heads', layer: 1, heads: [0, 2] }], skipped: [] });
    assert.deepEqual(once.model.config.pruned_heads, { 1: [0, 2] });
    const twice = await apply(once, { edits: [{ kind: 'remove-heads', layer: 1, heads: [1] }], skipped: [] });
    assert.deepEqual(twice.model.config.pruned_heads, { 1: [0, 2, 3] });
    const without = await apply(twice, { edits: [{ kind: 'remove-layers', layers: [0] }], skipped: [] });
    assert.deepEqual(without.model.config.pruned_heads, { 0: [0, 2, 3] });
    assert.equal(without.model.config.num_hidden_layers, opened.anatomy.layers.length - 1);
  } finally {
    await opened.close();
  }
});
