import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { held } from '../../../src/core/passes/computed.ts';
import type { Edit } from '../../../src/core/passes/pass.ts';
import { openCalibration } from '../../../src/core/session/calibrate.ts';
import { openPath } from '../../../src/core/session/open.ts';

const generated = resolve(import.meta.dirname, '../../../../shared/generated');
const skip = existsSync(generated) ? false : 'skipped: no generated models';
const texts = ['a b c', 'd', 'the cat sat on the mat', 'x y z w', 'one two'];
const models = [
  'bert-base/model.safetensors',
  'bert-base/model.torchscript.onnx',
  'bert-base/model.dynamo.onnx',
  'bert-base/model.ort-fused.onnx',
  'roberta-base',
  'distilbert-base',
];

for (const name of models) {
  const path = join(generated, name);
  test(`${name}: a walk half by half ends where the whole model ends, to 1e-5`, {
    skip: skip || (!existsSync(path) && `skipped: no ${name}`),
  }, async () => {
    const opened = await openPath(path);
    const calibration = await openCalibration(opened, opened, texts);
    try {
      assert.equal(calibration.texts, texts.length);
      const whole = await calibration.vectors([]);
      const walk = await calibration.walk();
      const sums = new Float64Array(whole.width);
      while (walk.at) {
        const isLast = walk.at.layer === opened.anatomy.layers.length - 1 && walk.at.part === 'feed-forward';
        if (isLast)
          await walk.observeBoth(['output'], [], (original, current) => {
            assert.deepEqual(original.get('output'), current.get('output'));
            for (const [i, value] of current.get('output').entries()) sums[i % whole.width]! += value;
          });
        await walk.advance([]);
      }
      // Sum over tokens of every text: its mean times its length.
      for (let i = 0; i < whole.width; i++) {
        let expected = 0;
        for (const [text, ids] of calibration.ids.entries()) expected += whole.pooled[text * whole.width + i]! * ids.length;
        assert.ok(Math.abs(sums[i]! - expected) < 1e-5 * calibration.tokens, `${sums[i]} is not ${expected}`);
      }
    } finally {
      await calibration.close();
      await opened.close();
    }
  });
}

test('what a linear reads, times its weights, is what it gives: 1e-4; a replaced bias shifts it and moves the current stream only', {
  skip,
}, async () => {
  const opened = await openPath(join(generated, 'bert-base/model.torchscript.onnx'));
  const calibration = await openCalibration(opened, opened, texts);
  try {
    const { output } = opened.anatomy.layers[0]!;
    const bias = new Float32Array(output.out).fill(0.5);
    const edit: Edit = { kind: 'replace', target: output, bias: held('bias', 'fp32', [output.out], bias) };
    const walk = await calibration.walk();
    const read = async (edits: readonly Edit[]) => {
      const found: number[] = [];
      await walk.observe('current', [`${output.id}:out`], edits, batch => void found.push(...batch.get(`${output.id}:out`)));
      return found;
    };
    const [before, after] = [await read([]), await read([edit])];
    const old = new Float32Array((await output.bias!.bytes()).slice().buffer);
    for (const [i, value] of after.entries()) assert.ok(Math.abs(value - before[i]! - 0.5 + old[i % output.out]!) < 1e-5);
    await walk.advance([edit]);
    await walk.observeBoth(['input'], [], (original, current) =>
      assert.notDeepEqual(original.get('input'), current.get('input')),
    );
  } finally {
    await calibration.close();
    await opened.close();
  }
});

test('gates of 1 change nothing; a gate of 0 on every channel of a projection equals its bias alone, to 1e-5', {
  skip,
}, async () => {
  const opened = await openPath(join(generated, 'bert-base/model.torchscript.onnx'));
  const calibration = await openCalibration(opened, opened, texts);
  try {
    const { output } = opened.anatomy.layers[1]!;
    const whole = await calibration.vectors([]);
    const gated = await calibration.gated([output.id]);
    const open = await gated.run(new Map());
    assert.deepEqual(open.pooled, whole.pooled);
    const shut = await gated.run(new Map([[output.id, new Float32Array(output.in)]]));
    const none = held('weight', 'fp32', output.weight.shape, new Float32Array(output.in * output.out));
    const without = await calibration.vectors([{ kind: 'replace', target: output, weight: none }]);
    for (const [i, value] of shut.pooled.entries()) assert.ok(Math.abs(value - without.pooled[i]!) < 1e-5);
    await gated.close();
  } finally {
    await calibration.close();
    await opened.close();
  }
});
