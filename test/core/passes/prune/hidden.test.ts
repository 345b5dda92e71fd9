import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { detect } from '../../../../src/core/anatomy/detect.ts';
import { HeadroomError } from '../../../../src/core/errors.ts';
import type { Model } from '../../../../src/core/model/model.ts';
import type { Plan } from '../../../../src/core/passes/pass.ts';
import { parseRecipe } from '../../../../src/core/passes/recipe.ts';
import { passes } from '../../../../src/core/passes/registry.ts';
import { compareModels } from '../../../../src/core/report/compare.ts';
import { apply, type Body } from '../../../../src/core/rewrite/apply.ts';
import { asGraph } from '../../../../src/core/session/as-graph.ts';
import { openCalibration } from '../../../../src/core/session/calibrate.ts';
import { type Opened, openPath } from '../../../../src/core/session/open.ts';
import { generated, nameOf, noGenerated, openMemory, shared, writeToMemory } from '../fixtures.ts';
import { numbersOf, run, someIds } from '../run.ts';

const words = 'a b c d the cat sat on mat x y z w one two three four five'.split(' ');
const texts = Array.from({ length: 40 }, (_, t) =>
  Array.from({ length: 3 + (t % 7) }, (_, w) => words[(t * 7 + w * (1 + (t % 5)) + ((t * w) >> 2)) % words.length]).join(' '),
);

async function withModel(path: string, act: (opened: Opened) => Promise<void>): Promise<void> {
  const opened = await openPath(path);
  try {
    await act(opened);
  } finally {
    await opened.close();
  }
}

async function planned(opened: Opened, options: Readonly<Record<string, unknown>>, isOnText = true): Promise<Plan> {
  const [step] = parseRecipe({ version: 1, steps: [{ pass: 'prune-hidden', options }] }).steps;
  const { model, anatomy } = opened;
  const calibration = isOnText ? await openCalibration(opened, opened, texts) : undefined;
  try {
    return await passes
      .find(({ id }) => id === 'prune-hidden')!
      .plan(anatomy, step!.options as never, {
        model,
        format: model.format,
        ...(calibration && { calibration: async () => calibration }),
      });
  } finally {
    await calibration?.close();
  }
}

/** What the model gives to ids, as a graph where it is none. */
async function outputsOf(opened: Opened, body: Body, ids: number[][]) {
  const { model } = body.model.graph ? body : await asGraph({ ...opened, ...body });
  return run((await writeToMemory(model)).get(nameOf(model))!, ids);
}

const farthest = (a: Float32Array, b: Float32Array): number =>
  a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);

const minilm = join(shared, 'models/minilm/model.safetensors');
const models = [
  'bert-base/model.safetensors',
  'bert-base/model.torchscript.onnx',
  'bert-base/model.sdpa.onnx',
  'bert-base/model.dynamo.onnx',
  'bert-base/model.ort-fused.onnx',
  'distilbert-base/model.safetensors',
  'distilbert-base/model.ort-fused.onnx',
  'roberta-base/model.dynamo.onnx',
  'roberta-sequence-classification/model.safetensors',
  'bert-masked-lm/model.torchscript.onnx',
  'bert-question-answering/model.torchscript.onnx',
  'pruned-heads-bert/model.torchscript.onnx',
].map(name => join(generated, name));

for (const path of [...models, minilm])
  test(
    `${path.split('/').slice(-2).join('/')}: turned by PCA and not cut, its outputs are the same to 1e-5 of the largest, or of 1`,
    {
      skip: noGenerated || (!existsSync(path) && `skipped: no ${basename(path)}`),
    },
    () =>
      withModel(path, async opened => {
        const { hidden } = opened.anatomy;
        const ids = someIds(2, 7);
        const before = await outputsOf(opened, opened, ids);
        const turned = await apply(opened, await planned(opened, { hidden, repair: 'none' }));
        const after = await outputsOf(opened, turned, ids);
        for (const [name, tensor] of Object.entries(before)) {
          const largest = Math.max(
            1,
            numbersOf(tensor).reduce((most, value) => Math.max(most, Math.abs(value)), 0),
          );
          const distance = farthest(numbersOf(tensor), numbersOf(after[name]!));
          assert.ok(distance < 1e-5 * largest, `${name}: ${distance} of ${largest}`);
        }
      }),
  );

for (const path of models.filter(path =>
  /bert-base\/model\.(safetensors|dynamo)|ort-fused|masked-lm|roberta-seq|distil/.test(path),
))
  test(
    `${path.split('/').slice(-2).join('/')}: of half the size it is written, found again, runs, and repair brings it nearer to the original`,
    {
      skip: noGenerated || (!existsSync(path) && `skipped: no ${basename(path)}`),
    },
    () =>
      withModel(path, async opened => {
        const { anatomy, model } = opened;
        const size = anatomy.hidden / 2;
        const plan = await planned(opened, { hidden: size });
        const { model: promised, anatomy: expected } = await apply(opened, plan);
        const written = { ...(await openMemory(await writeToMemory(promised), nameOf(promised))), config: promised.config };
        const found = await detect(written as Model);
        assert.deepEqual([found.hidden, expected.hidden], [size, size]);
        assert.deepEqual(
          found.layers.map(({ heads, headDim, up }) => [heads, headDim, up.out]),
          anatomy.layers.map(({ heads, headDim, up }) => [heads, headDim, up.out]),
        );
        assert.deepEqual(
          found.unclaimed.map(({ name }) => name),
          anatomy.unclaimed.map(({ name }) => name),
        );
        assert.equal(found.task, anatomy.task);
        const { rows } = await compareModels({ model, anatomy }, { model: written, anatomy: found });
        const word = rows.find(({ id }) => id === 'embeddings.word_embeddings.weight')!;
        assert.equal(word.after!.parameters, word.before!.parameters / 2);
        assert.ok(rows.some(({ id, change }) => id.startsWith('encoder.layer.0.attention.output.skip') && change === 'added'));
        const calibration = await openCalibration(opened, opened, texts);
        try {
          const original = await calibration.vectors([]);
          const cut = await planned(opened, { hidden: size, repair: 'none' });
          const distances = await Promise.all(
            [plan, cut].map(async ({ edits }) => {
              const { pooled } = await calibration.vectors(edits);
              return pooled.reduce((sum, value, i) => sum + (value - original.pooled[i]!) ** 2, 0);
            }),
          );
          assert.ok(distances[0]! < distances[1]!, `${distances}`);
        } finally {
          await calibration.close();
        }
      }),
  );

test(
  'of a model with fewer hidden dimensions heads and neurons can go, layers and dimensions cannot any more',
  {
    skip: noGenerated,
  },
  () =>
    withModel(models[0]!, async opened => {
      const { model, anatomy } = await apply(
        opened,
        await planned(opened, { fraction: 0.25, by: 'magnitude', repair: 'none' }, false),
      );
      const edits = async (pass: string, options: Readonly<Record<string, unknown>>) => {
        const [step] = parseRecipe({ version: 1, steps: [{ pass, options }] }).steps;
        return passes.find(({ id }) => id === pass)!.plan(anatomy, step!.options as never, { model, format: model.format });
      };
      for (const pass of ['prune-heads', 'prune-neurons']) {
        const plan = await edits(pass, { fraction: 0.5 });
        const smaller = await apply({ model, anatomy }, plan);
        assert.deepEqual([plan.skipped.length, smaller.anatomy.unclaimed.length], [0, 0]);
        await outputsOf(opened, smaller, someIds(2, 7));
      }
      for (const [pass, options] of [
        ['prune-layers', { count: 1 }],
        ['share-layers', { groups: [[0, 1]] }],
        ['prune-hidden', { fraction: 0.5, by: 'magnitude' }],
      ] as const) {
        const plan = await edits(pass, options);
        assert.deepEqual(plan.edits, []);
        assert.match(plan.skipped[0]!.reason.text, /hidden size was pruned/);
      }
    }),
);

const code = (error: unknown) => (error instanceof HeadroomError ? error.code : String(error));

test('a size above the model’s, both a size and a share, neither, and no text for PCA are told', { skip: noGenerated }, () =>
  withModel(models[0]!, async opened => {
    const { hidden } = opened.anatomy;
    const failing = async (options: Readonly<Record<string, unknown>>, isOnText = true) => {
      try {
        await planned(opened, options, isOnText);
      } catch (error) {
        return code(error);
      }
      return 'no error';
    };
    assert.equal(await failing({ hidden: hidden + 1 }), 'bad-recipe');
    assert.equal(await failing({ hidden, fraction: 0.5 }), 'bad-recipe');
    assert.equal(await failing({}), 'bad-recipe');
    assert.equal(await failing({ hidden: 8 }, false), 'usage');
    assert.equal(await failing({ hidden: 1 }), 'bad-recipe');
    assert.equal(await failing({ hidden: 12.5 }), 'bad-recipe');
  }),
);

for (const [name, reason] of [
  ['albert-base/model.safetensors', /share their weights/],
  ['bert-base/model.int8.onnx', /Prune first/],
  ['tied-mlm/model.safetensors', /no checkpoint holds that/],
] as const)
  test(`${name} is left alone with a reason`, { skip: noGenerated }, () =>
    withModel(join(generated, name), async opened => {
      const { edits, skipped } = await planned(opened, { fraction: 0.5, by: 'magnitude' }, false);
      assert.deepEqual(edits, []);
      assert.match(skipped[0]!.reason.text, reason);
    }),
  );
