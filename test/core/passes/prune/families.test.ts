import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TextVectors } from '../../../../src/core/calibration/calibration.ts';
import type { Edit, Plan } from '../../../../src/core/passes/pass.ts';
import { parseRecipe } from '../../../../src/core/passes/recipe.ts';
import { passes } from '../../../../src/core/passes/registry.ts';
import { apply } from '../../../../src/core/rewrite/apply.ts';
import { openCalibration } from '../../../../src/core/session/calibrate.ts';
import { openPath } from '../../../../src/core/session/open.ts';
import { shared } from '../fixtures.ts';

// Families whose layers share their weights, whose operators hold more than a product, and whose numbers have 16 bits.

const words = 'a b c d the cat sat on mat x y z w one two three four five'.split(' ');
const texts = Array.from({ length: 30 }, (_, t) =>
  Array.from({ length: 3 + (t % 7) }, (_, w) => words[(t * 7 + w * (1 + (t % 5)) + ((t * w) >> 2)) % words.length]).join(' '),
);

/** A path below shared, and the passes that have something to do there. */
const models: readonly (readonly [string, readonly string[]])[] = [
  ['generated/albert-base/model.safetensors', ['prune-heads', 'prune-neurons']],
  ['generated/albert-base/model.dynamo.onnx', ['prune-heads', 'prune-neurons']],
  ['generated/bert-sequence-classification/model.fp16.onnx', ['prune-heads', 'prune-neurons']],
  ['generated/roberta-base/model.ort-fused.onnx', ['prune-heads', 'prune-neurons']],
  ['third-party/models/huggingface-optimum-onnx__assets_onnx_model.onnx', ['prune-heads', 'prune-neurons']],
  ['third-party/models/onnxruntime-onnxruntime-qnn__bert_toy_optimized.onnx', ['prune-heads', 'prune-neurons']],
  ['third-party/models/vespa-engine-vespa__dummy_transformer.onnx', ['prune-neurons']],
  ['third-party/folders/tribuo-tinybert/model.onnx', ['prune-neurons']],
];

const distance = (a: TextVectors, b: TextVectors): number =>
  a.pooled.reduce((sum, value, i) => sum + (value - b.pooled[i]!) ** 2, 0);

for (const [name, prunes] of models) {
  const path = join(shared, name);
  test(`${name}: half of its heads and neurons, found and repaired on text, lose no more than unrepaired; weights and bits run`, {
    skip: existsSync(path) ? false : `skipped: no ${name}`,
  }, async () => {
    const opened = await openPath(path);
    const calibration = await openCalibration(opened, opened, texts);
    const planned = (pass: string, options: Readonly<Record<string, unknown>>): Promise<Plan> => {
      const [step] = parseRecipe({ version: 1, steps: [{ pass, options }] }).steps;
      const { model, anatomy } = opened;
      const context = { model, format: model.format, calibration: async () => calibration };
      return passes.find(({ id }) => id === pass)!.plan(anatomy, step!.options as never, context);
    };
    try {
      const original = await calibration.vectors([]);
      // Heads that give next to nothing differ by the rounding of fp32.
      const rounding = 1e-12 * original.pooled.reduce((sum, value) => sum + value ** 2, 0);
      for (const pass of prunes) {
        const repaired = await planned(pass, { fraction: 0.5, by: 'reconstruction', repair: 'least-squares' });
        const bare = repaired.edits.flatMap((edit): Edit[] => {
          if (edit.kind === 'remove-heads') return [{ kind: edit.kind, layer: edit.layer, heads: edit.heads }];
          return edit.kind === 'remove-neurons' ? [{ kind: edit.kind, layer: edit.layer, neurons: edit.neurons }] : [];
        });
        assert.ok(bare.length > 0, pass);
        const [after, before] = [await calibration.vectors(repaired.edits), await calibration.vectors(bare)].map(each =>
          distance(each, original),
        );
        assert.ok(after! <= before! + rounding, `${pass}: ${after} beside ${before}`);
        const { anatomy } = await apply(opened, repaired);
        const units = (of: typeof anatomy) => of.layers.map(({ heads, up }) => [heads, up.out]).join(' ');
        assert.notEqual(units(anatomy), units(opened.anatomy));
        assert.equal(anatomy.unclaimed.length, opened.anatomy.unclaimed.length);
      }
      for (const [pass, options] of [
        ['prune-weights', { sparsity: 0.5, by: 'sparsegpt' }],
        ['quantize', { scheme: 'int4', rounding: 'gptq' }],
      ] as const) {
        const { edits, skipped } = await planned(pass, options);
        assert.ok(edits.length + skipped.length > 0, pass);
        if (edits.length > 0) assert.ok((await calibration.vectors(edits)).pooled.every(Number.isFinite), pass);
      }
    } finally {
      await calibration.close();
      await opened.close();
    }
  });
}
