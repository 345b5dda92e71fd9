import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import type { Anatomy } from '../../../../src/core/anatomy/anatomy.ts';
import { evaluate } from '../../../../src/core/session/evaluate.ts';
import { changed, planted } from './changed-model.ts';

const generated = resolve(import.meta.dirname, '../../../../../shared/generated');
const skip = existsSync(generated) ? false : 'skipped: no generated models';
const texts = ['the small model keeps every word', 'prune heads'];

const places: readonly (readonly [string, (anatomy: Anatomy) => string])[] = [
  ['encoder.layer.1.attention.self.key', ({ layers }) => layers[1]!.key.bias!.name],
  ['encoder.layer.1.attention.output.dense', ({ layers }) => layers[1]!.output.weight.name],
  ['encoder.layer.1.attention.output.LayerNorm', ({ layers }) => layers[1]!.attentionNorm.weight!.name],
  ['encoder.layer.1.intermediate.dense', ({ layers }) => layers[1]!.up.weight.name],
  ['encoder.layer.1.output.dense', ({ layers }) => layers[1]!.down.bias!.name],
  ['encoder.layer.2.output.LayerNorm', ({ layers }) => layers[2]!.outputNorm.bias!.name],
  ['embeddings', ({ embeddingNorm }) => embeddingNorm!.weight!.name],
];

test('NaN and infinity that stand in one organ are found there', { skip }, async t => {
  for (const [id, tensor] of places)
    await t.test(id, async () => {
      const number = id === 'embeddings' ? Number.POSITIVE_INFINITY : Number.NaN;
      const path = await changed(join(generated, 'bert-base/model.torchscript.onnx'), id, (model, _, anatomy) =>
        planted(model, tensor(anatomy), 5, number),
      );
      const { firstNonFinite, nonFinite } = await evaluate(path, { texts, threads: 1 });
      assert.ok(nonFinite > 0);
      assert.equal(firstNonFinite?.id, id);
      assert.ok(texts.includes(firstNonFinite.text));
    });
});

test('of several texts it is one whose outputs are not finite', { skip }, async () => {
  const path = await changed(join(generated, 'bert-base/model.torchscript.onnx'), 'one-word', (model, _, { tables, hidden }) =>
    planted(model, tables[0]!.weight.name, 38 * hidden, Number.NaN),
  );
  const { firstNonFinite, nonFinite } = await evaluate(path, { texts, threads: 1 });
  assert.deepEqual([nonFinite, firstNonFinite?.id, firstNonFinite?.text], [1, 'embeddings', 'prune heads']);
});

test('in a fused graph it is the layer, where no closer value can be looked at', { skip }, async () => {
  const path = await changed(join(generated, 'bert-base/model.ort-fused.onnx'), 'fused', (model, _, { layers }) =>
    planted(model, layers[1]!.up.weight.name, 7, Number.NaN),
  );
  const { firstNonFinite } = await evaluate(path, { texts, threads: 1 });
  assert.equal(firstNonFinite?.id, 'encoder.layer.1.intermediate');
});

test('a model whose outputs are finite has none, and nothing is run again', { skip }, async () => {
  const { firstNonFinite, nonFinite } = await evaluate(join(generated, 'bert-base/model.torchscript.onnx'), {
    texts,
    threads: 1,
  });
  assert.deepEqual([firstNonFinite, nonFinite], [undefined, 0]);
});
