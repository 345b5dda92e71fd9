import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Edit } from '../../../../src/core/passes/pass.ts';
import { parseRecipe } from '../../../../src/core/passes/recipe.ts';
import { NormFit } from '../../../../src/core/passes/refit/norm-fit.ts';
import { passes } from '../../../../src/core/passes/registry.ts';
import { apply } from '../../../../src/core/rewrite/apply.ts';
import { openCalibration } from '../../../../src/core/session/calibrate.ts';
import { openPath } from '../../../../src/core/session/open.ts';
import { generated, noGenerated, writeToMemory } from '../fixtures.ts';

const words = 'the a cat dog house runs sees of in to and is was big small one two three red blue'.split(' ');
const texts = Array.from({ length: 96 }, (_, i) =>
  Array.from({ length: 3 + (i % 9) }, (__, j) => words[(i * 7 + j * (3 + (i % 5))) % words.length]).join(' '),
);

const quantize = passes.find(({ id }) => id === 'quantize')!;

for (const name of ['bert-base/model.torchscript.onnx', 'bert-base/model.safetensors']) {
  const path = join(generated, name);
  test(`${name}: on text, vectors move less by GPTQ than by rounding to nearest, in a file of the same size`, {
    skip: noGenerated || (!existsSync(path) && `skipped: no ${name}`),
  }, async () => {
    const opened = await openPath(path);
    const calibration = await openCalibration(opened, opened, texts);
    try {
      const context = { model: opened.model, format: opened.model.format, calibration: async () => calibration };
      const planOf = (options: Record<string, unknown>, dryRun = false) => {
        const [step] = parseRecipe({
          version: 1,
          steps: [{ pass: 'quantize', options: { scheme: 'int4', bits: 2, block_size: 16, ...options } }],
        }).steps;
        return quantize.plan(opened.anatomy, step!.options as never, { ...context, dryRun });
      };
      const before = await calibration.vectors([]);
      const moved = async (edits: readonly Edit[]) => {
        const { pooled } = await calibration.vectors(edits);
        return pooled.reduce((sum, value, i) => sum + (value - before.pooled[i]!) ** 2, 0);
      };
      const nearest = await planOf({});
      const rounded = await planOf({ rounding: 'gptq' });
      const [far, near] = [await moved(nearest.edits), await moved(rounded.edits)];
      assert.ok(near < 0.6 * far, `${near} of ${far}`);
      const sizes = [];
      for (const plan of [rounded, await planOf({ rounding: 'gptq' }, true)])
        sizes.push([...(await writeToMemory((await apply(opened, plan)).model)).values()][0]!.length);
      assert.equal(sizes[0], sizes[1]);
    } finally {
      await calibration.close();
      await opened.close();
    }
  });
}

test('layers that share their weights are rounded on what all of them read: nearer to the original than to nearest', {
  skip: noGenerated,
}, async () => {
  const opened = await openPath(join(generated, 'albert-base/model.torchscript.onnx'));
  const calibration = await openCalibration(opened, opened, texts);
  try {
    const original = await calibration.vectors([]);
    const lost: number[] = [];
    for (const rounding of ['gptq', 'nearest']) {
      const [step] = parseRecipe({ version: 1, steps: [{ pass: 'quantize', options: { scheme: 'int4', rounding } }] }).steps;
      const { edits } = await quantize.plan(opened.anatomy, step!.options as never, {
        model: opened.model,
        format: opened.model.format,
        calibration: async () => calibration,
      });
      const { pooled } = await calibration.vectors(edits);
      lost.push(pooled.reduce((sum, value, i) => sum + (value - original.pooled[i]!) ** 2, 0));
    }
    assert.ok(lost[0]! < lost[1]!, `${lost}`);
  } finally {
    await calibration.close();
    await opened.close();
  }
});

test('without text, rounding by GPTQ says what is missing', { skip: noGenerated }, async () => {
  const opened = await openPath(join(generated, 'bert-base/model.torchscript.onnx'));
  try {
    const [step] = parseRecipe({
      version: 1,
      steps: [{ pass: 'quantize', options: { scheme: 'int4', rounding: 'gptq' } }],
    }).steps;
    const context = { model: opened.model, format: opened.model.format };
    await assert.rejects(quantize.plan(opened.anatomy, step!.options as never, context), /no text to run the model on/);
  } finally {
    await opened.close();
  }
});

test('a norm is refitted by channel, and what is no norm is left alone', () => {
  const width = 8;
  const norm = { weight: Float32Array.from({ length: width }, (_, i) => 0.5 + i / 10), bias: new Float32Array(width).fill(0.1) };
  const rows = Array.from({ length: 40 }, (_, r) => {
    const row = Float64Array.from({ length: width }, (__, i) => Math.sin(r * 3.7 + i * i));
    const mean = row.reduce((a, b) => a + b) / width;
    const deviation = Math.sqrt(row.reduce((a, b) => a + (b - mean) ** 2, 0) / width);
    return row.map((value, i) => ((value - mean) / deviation) * norm.weight[i]! + norm.bias[i]!);
  });
  const now = Float32Array.from(rows.flatMap(row => [...row]));
  const fit = new NormFit(norm);
  fit.add(
    now,
    now.map(value => 2 * value + 3),
  );
  const found = fit.result()!;
  found.weight.forEach((gain, i) => {
    assert.ok(Math.abs(gain - 2 * norm.weight[i]!) < 1e-4);
  });
  found.bias.forEach(offset => {
    assert.ok(Math.abs(offset - (2 * 0.1 + 3)) < 1e-4);
  });
  const sum = new NormFit(norm);
  sum.add(
    now.map(value => 5 * value),
    now,
  );
  assert.equal(sum.result(), undefined);
});
