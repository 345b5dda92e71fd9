import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { detect } from '../../../src/core/anatomy/detect.ts';
import { memoryFolder, memorySource } from '../../../src/core/bytes/memory.ts';
import { openModel } from '../../../src/core/format/open.ts';
import { summarize } from '../../../src/core/report/summary.ts';
import { openPath } from '../../../src/core/session/open.ts';
import { generated, noGenerated, shared } from '../passes/fixtures.ts';
import { numbersOf, someIds } from '../passes/run.ts';
import { checkpoints, exported, furthest, outputsOf } from './exported.ts';

const numbers = (values: any): number[] => values.flat(9);

for (const { folder, path, expected } of checkpoints) {
  test(`${folder}: outputs are PyTorch's within 1e-4, padded positions too, under the names transformers gives them`, async () => {
    const { names, inputs, values } = await outputsOf(await exported(path), expected.inputs);
    assert.deepEqual(names, expected.output_names);
    assert.deepEqual(inputs, Object.keys(expected.inputs));
    assert.deepEqual(values[expected.output]!.dims, expected.output_shape);
    assert.ok(furthest(numbersOf(values[expected.output]!), numbers(expected.outputs)) <= 1e-4);
  });

  test(`${folder}: the exported graph shows the same layers, heads and parameters, without config.json`, async () => {
    const model = await openModel(memorySource('model.onnx', await exported(path)), memoryFolder());
    const input = await openPath(path);
    const [before, after] = [summarize(input.model, input.anatomy).model, summarize(model, await detect(model)).model];
    await input.close();
    const shown = ({ layers, heads, headDim, intermediate, hidden, vocabulary, positions, parameters, task }: typeof before) => ({
      layers,
      heads,
      headDim,
      intermediate,
      hidden,
      vocabulary,
      positions,
      parameters,
      task,
    });
    assert.deepEqual(shown(after), shown(before));
    assert.equal(after.parameters, expected.parameters_total);
  });

  const reference = join(generated, folder, 'model.torchscript.onnx');
  test(`${folder}: every output equals that of PyTorch's own export within 1e-4 for 1 x 5 and 3 x 17`, {
    skip: existsSync(reference) ? false : 'skipped: no export of it by PyTorch',
  }, async () => {
    const model = await exported(path);
    for (const [batch, length] of [
      [1, 5],
      [3, 17],
    ] as const) {
      const input_ids = someIds(batch, length, 7);
      const attention_mask = input_ids.map((row, index) => row.map((_, at) => (at < length - 2 * index ? 1 : 0)));
      const token_type_ids = input_ids.map(row => row.map((_, at) => (at > 2 ? 1 : 0)));
      const inputs = { input_ids, attention_mask, token_type_ids };
      const [made, wanted] = [await outputsOf(model, inputs), await outputsOf(reference, inputs)];
      assert.deepEqual(made.names, wanted.names);
      for (const name of made.names) {
        assert.deepEqual(made.values[name]!.dims, wanted.values[name]!.dims);
        assert.ok(furthest(numbersOf(made.values[name]!), numbersOf(wanted.values[name]!)) <= 1e-4, name);
      }
    }
  });
}

test('a layer that runs four times, and a table that is the decoder too, are stored once', { skip: noGenerated }, async () => {
  const bytes = await exported(join(generated, 'albert-masked-lm/model.safetensors'));
  const { json: stored } = { json: checkpoints.find(({ folder }) => folder === 'albert-masked-lm')!.expected };
  const model = await openModel(memorySource('model.onnx', bytes), memoryFolder());
  const floats = [...model.tensors.values()].filter(({ dtype }) => dtype === 'fp32').filter(({ shape }) => shape.length > 0);
  const sum = floats.reduce((total, { byteLength }) => total + byteLength / 4, 0);
  assert.equal(sum, stored.parameters_total);
});

const sample = join(shared, 'models/sample-sst2');
test('sample-sst2: the export gives what its own model.onnx gives within 1e-4', {
  skip: existsSync(sample) ? false : 'skipped: no trained models',
}, async () => {
  const input_ids = someIds(3, 24, 5);
  const attention_mask = input_ids.map((row, index) => row.map((_, at) => (at < 24 - 8 * index ? 1 : 0)));
  const token_type_ids = input_ids.map(row => row.map(() => 0));
  const inputs = { input_ids, attention_mask, token_type_ids };
  const made = await outputsOf(await exported(join(sample, 'model.safetensors')), inputs);
  const wanted = await outputsOf(join(sample, 'model.onnx'), inputs);
  assert.ok(furthest(numbersOf(made.values.logits!), numbersOf(wanted.values.logits!)) <= 1e-4);
});

test('a row without any token stays finite', { skip: noGenerated }, async () => {
  const input_ids = someIds(2, 6);
  const attention_mask = [
    [1, 1, 1, 1, 0, 0],
    [0, 0, 0, 0, 0, 0],
  ];
  const token_type_ids = input_ids.map(row => row.map(() => 0));
  const model = await exported(join(generated, 'bert-base/model.safetensors'), {
    modes: ['mean'],
    steps: [{ kind: 'normalize' }],
  });
  const { values } = await outputsOf(model, { input_ids, attention_mask, token_type_ids });
  for (const tensor of Object.values(values)) assert.ok(numbersOf(tensor).every(Number.isFinite));
});

test('sentence_embedding is the mean under the mask or the first token, of unit length where asked, within 1e-6', {
  skip: noGenerated,
}, async () => {
  const { path, expected } = checkpoints.find(({ folder }) => folder === 'bert-base')!;
  const mask: number[][] = expected.inputs.attention_mask;
  for (const mode of ['mean', 'cls'] as const)
    for (const normalize of [false, true]) {
      const { values } = await outputsOf(
        await exported(path, { modes: [mode], steps: normalize ? [{ kind: 'normalize' }] : [] }),
        expected.inputs,
      );
      const [batch, tokens, width] = values.last_hidden_state!.dims as [number, number, number];
      const hidden = numbersOf(values.last_hidden_state!);
      const wanted = Array.from({ length: batch }, (_, b) => {
        const rows = mode === 'cls' ? [0] : Array.from({ length: tokens }, (_, t) => t).filter(t => mask[b]![t] === 1);
        const mean = Array.from({ length: width }, (_, c) =>
          rows.reduce((sum, t) => sum + hidden[(b * tokens + t) * width + c]! / rows.length, 0),
        );
        const norm = normalize ? Math.hypot(...mean) : 1;
        return mean.map(value => value / norm);
      });
      assert.ok(furthest(numbersOf(values.sentence_embedding!), wanted.flat()) <= 1e-6);
    }
});
