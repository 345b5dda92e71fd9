import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { evaluate } from '../../../../src/core/session/evaluate.ts';
import { changed, planted, renamed, without } from './changed-model.ts';

const generated = resolve(import.meta.dirname, '../../../../../shared/generated');
const skip = existsSync(generated) ? false : 'skipped: no generated models';
const bert = join(generated, 'bert-base/model.torchscript.onnx');
const texts = ['the small model keeps every word', 'and it opens fast .', 'prune heads', 'word'];

const run = async (path: string, against: string) => (await evaluate(path, { texts, against, layers: true, threads: 1 })).layers!;

test('a model against itself drifts nowhere: exactly 1 behind each layer, whoever wrote the graph', { skip }, async t => {
  for (const form of ['torchscript', 'sdpa', 'dynamo', 'ort-fused', 'int8', 'qdq', 'fp16'])
    await t.test(form, async () => {
      const path = join(generated, `bert-base/model.${form}.onnx`);
      const layers = await run(path, path);
      assert.deepEqual(
        layers,
        ['embeddings', ...[0, 1, 2].map(index => `encoder.layer.${index}`)].map(id => ({
          id,
          against: id,
          measure: 'cosine',
          mean: 1,
          min: 1,
          count: 4,
        })),
      );
    });
});

test('one exporter against another: 1 within 1e-9; against integers less, from the layer on where they begin', {
  skip,
}, async () => {
  for (const { mean, min } of await run(join(generated, 'bert-base/model.ort-fused.onnx'), bert))
    assert.ok(mean! > 1 - 1e-9 && min! > 1 - 1e-9);
  const [embeddings, ...layers] = await run(join(generated, 'bert-base/model.qdq.onnx'), bert);
  assert.ok(embeddings!.mean! > 1 - 1e-9);
  for (const { mean, min } of layers) assert.ok(min! <= mean! && mean! < 0.9999 && min! > 0.5);
});

test('a change in layer 1 is seen behind layer 1 and not before', { skip }, async () => {
  const path = await changed(bert, 'one-weight', (model, _, { layers }) => planted(model, layers[1]!.up.bias!.name, 3, 9));
  const found = await run(path, bert);
  assert.deepEqual(
    found.map(({ mean }) => mean! > 1 - 1e-9),
    [true, true, false, false],
  );
});

test('where a layer was removed the others are held against those they were: by names, and by what they give without names', {
  skip,
}, async t => {
  for (const removed of [0, 1, 2])
    await t.test(`without layer ${removed}`, async () => {
      const kept = [0, 1, 2].filter(index => index !== removed);
      const expected = [
        ['embeddings', 'embeddings'],
        ...kept.map((from, to) => [`encoder.layer.${to}`, `encoder.layer.${from}`]),
      ];
      const path = await changed(bert, `without-${removed}`, (model, taps) => without(model, taps, removed));
      const pairs = (await run(path, bert)).map(({ id, against }) => [id, against]);
      assert.deepEqual(pairs, expected);
      const back = (await run(bert, path)).map(({ id, against }) => [against, id]);
      assert.deepEqual(back, expected);
      const nameless = await changed(bert, `nameless-${removed}`, (model, taps) => renamed(without(model, taps, removed)));
      assert.deepEqual(
        (await run(nameless, bert)).map(({ id, against }) => [id, against]),
        expected,
      );
    });
});

test('models of different widths are compared by CKA, from 0 to 1, with no worst text', { skip }, async () => {
  const layers = await run(join(generated, 'bert-sequence-classification/model.torchscript.onnx'), bert);
  assert.equal(layers.length, 3);
  for (const { measure, mean, min, count } of layers) {
    assert.deepEqual([measure, min, count], ['cka', null, 4]);
    assert.ok(mean! > 0 && mean! < 1);
  }
});

test('looking inside tells how far it is, stops when it is cancelled, and leaves no file behind', { skip }, async () => {
  const left = () => readdirSync(tmpdir()).filter(name => name.startsWith(`headroom-${process.pid}-`));
  const request = { texts, against: bert, layers: true, threads: 1, batch: 1 };
  const fractions: (number | undefined)[] = [];
  await evaluate(bert, request, { progress: ({ fraction }) => fractions.push(fraction) });
  assert.deepEqual(fractions.slice(-4), [0.25, 0.5, 0.75, 1]);
  const abort = new AbortController();
  let count = 0;
  // In the last run: the third event before the end.
  const progress = () => ++count === fractions.length - 2 && abort.abort();
  await assert.rejects(
    evaluate(bert, request, { signal: abort.signal, progress: () => void progress() }),
    (error: { code?: string }) => error.code === 'cancelled',
  );
  assert.deepEqual(left(), []);
});
