import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { linearsIn } from '../../../src/core/anatomy/anatomy.ts';
import type { TextVectors } from '../../../src/core/calibration/calibration.ts';
import type { PassContext } from '../../../src/core/passes/pass.ts';
import { driftOf, measureParts } from '../../../src/core/passes/quantize/sensitivity.ts';
import { openCalibration } from '../../../src/core/session/calibrate.ts';
import { openPath } from '../../../src/core/session/open.ts';
import { generated, noGenerated, planOf } from './fixtures.ts';

const texts = ['the cat sat', 'one two three four', 'a dog runs', 'red and blue'];

test('drift is 1 - cosine, a mean over texts: 0 of the same, 1 of what stands upright, 2 of what is not finite', () => {
  const of = (...pooled: number[]): TextVectors => ({
    pooled: Float32Array.from(pooled),
    width: 2,
    logits: undefined,
    classes: 0,
  });
  assert.equal(driftOf(of(3, 4, 1, 0), of(3, 4, 2, 0)), 0);
  assert.equal(driftOf(of(3, 4, 1, 0), of(3, 4, 0, 5)), 0.5);
  assert.equal(driftOf(of(1, 0), of(Number.NaN, 1)), 2);
});

test('each part is measured alone: 2 bits cost more than 8, what has no edits costs nothing', { skip: noGenerated }, async () => {
  const opened = await openPath(join(generated, 'bert-base/model.safetensors'));
  const calibration = await openCalibration(opened, opened, texts);
  try {
    const context: PassContext = { model: opened.model, format: 'safetensors', calibration: async () => calibration };
    const layer = new Set(linearsIn(opened.anatomy.layers[1]!).map(({ id }) => id));
    const editsOf = async (bits: number) => {
      const { edits } = await planOf(opened, { scheme: 'mixed', bits, block_size: 16, embedding_bits: 32 });
      return edits.filter(edit => 'target' in edit && layer.has(edit.target.id));
    };
    const costs = await measureParts(context, ['2', '4', '8', 'none'], async part => (part === 'none' ? [] : editsOf(+part)));
    const [two, four, eight, none] = [...costs.values()] as [number, number, number, number];
    assert.deepEqual([...costs.keys()], ['2', '4', '8', 'none']);
    assert.ok(two > 2 * four && four > 4 * eight && eight > 0, `${two} ${four} ${eight}`);
    assert.equal(none, 0);
  } finally {
    await calibration.close();
    await opened.close();
  }
});

test('without text, what is missing is said', { skip: noGenerated }, async () => {
  const opened = await openPath(join(generated, 'bert-base/model.safetensors'));
  try {
    const context: PassContext = { model: opened.model, format: 'safetensors' };
    await assert.rejects(
      measureParts(context, ['a'], async () => []),
      /no text to run the model on/,
    );
  } finally {
    await opened.close();
  }
});
