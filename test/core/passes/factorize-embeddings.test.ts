import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { detect } from '../../../src/core/anatomy/detect.ts';
import { held } from '../../../src/core/passes/computed.ts';
import { tableFactors } from '../../../src/core/passes/factorize/table.ts';
import type { FactorEdit } from '../../../src/core/passes/pass.ts';
import { summarize } from '../../../src/core/report/summary.ts';
import { apply, type Body } from '../../../src/core/rewrite/apply.ts';
import { asGraph } from '../../../src/core/session/as-graph.ts';
import { readFloats } from '../../../src/core/tensor/floats.ts';
import {
  expectedOf,
  generated,
  nameOf,
  noGenerated,
  openMemory,
  openSource,
  plainModels,
  planOf,
  writeToMemory,
} from './fixtures.ts';
import { numbersOf, type Rows, run } from './run.ts';

const bytesOf = async ({ model }: Body): Promise<Uint8Array> => (await writeToMemory(model)).get(nameOf(model))!;
const farthest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
const fullRank = ({ anatomy }: Body) => ({ edits: [tableFactors(anatomy.tables[0]!, anatomy.tables[0]!.width)], skipped: [] });

/** Graphs whose words are looked up and not projected already. */
const graphs = plainModels.filter(path => path.endsWith('.onnx') && !/albert|electra|fp16/.test(path));

test('full rank reproduces the outputs of every generated graph within 1e-5, those of tied decoders too', {
  skip: noGenerated,
}, async () => {
  for (const path of graphs) {
    const source = await openSource(join(generated, path));
    const factored = await apply(source.body, fullRank(source.body));
    const { inputs } = expectedOf(path.split('/')[0]!);
    const [ids, mask] = [inputs.input_ids as Rows, inputs.attention_mask as Rows];
    const before = await run(join(generated, path), ids, mask);
    const after = await run(await bytesOf(factored), ids, mask);
    for (const [name, output] of Object.entries(before)) {
      const largest = Math.max(1, ...numbersOf(output).map(Math.abs));
      const difference = farthest(numbersOf(output), numbersOf(after[name]!)) / largest;
      assert.ok(difference < 1e-5, `${path} ${name}: ${difference}`);
    }
    await source.close();
  }
});

/** The model with its table of words as what the factors of a plan make of it. */
async function withProduct(body: Body, { first, second }: FactorEdit): Promise<Body> {
  const [target] = body.anatomy.tables;
  const [projection, narrow] = [await readFloats(first), await readFloats(second)];
  const [width, rank] = first.shape as [number, number];
  const values = new Float32Array(target!.rows * width);
  for (let v = 0; v < target!.rows; v++)
    for (let h = 0; h < width; h++)
      for (let r = 0; r < rank; r++) values[v * width + h]! += narrow[v * rank + r]! * projection[h * rank + r]!;
  const weight = held('weight', 'fp32', target!.weight.shape, values);
  return apply(body, { edits: [{ kind: 'replace', target: target!, weight }], skipped: [] });
}

test('a BERT checkpoint becomes a MobileBERT, others keep their class: both give what the multiplied table gives, to 1e-5', {
  skip: noGenerated,
}, async () => {
  for (const [family, type] of [
    ['bert-base', 'mobilebert'],
    ['bert-sequence-classification', 'mobilebert'],
    ['roberta-base', 'roberta'],
    ['distilbert-base', 'distilbert'],
  ] as const) {
    const source = await openSource(join(generated, family, 'model.safetensors'));
    // MobileBERT's norms have this epsilon.
    const config = { ...source.body.model.config, layer_norm_eps: family === 'distilbert-base' ? 1e-12 : 1e-5 };
    const body = { ...source.body, model: { ...source.body.model, config } };
    const plan = await planOf(body, { rank: 12 }, 'factorize-embeddings');
    const factored = await apply(body, plan);
    assert.equal(factored.anatomy.family, type);
    assert.match(plan.skipped[0]!.reason.text, type === 'mobilebert' ? /becomes a MobileBERT/ : /No class of transformers/);
    const ids = expectedOf(family).inputs.input_ids as Rows;
    const expected = await run(await bytesOf(await asGraph(await withProduct(body, plan.edits[0] as FactorEdit))), ids);
    const found = await run(await bytesOf(await asGraph(factored)), ids);
    for (const [name, output] of Object.entries(expected))
      assert.ok(farthest(numbersOf(output), numbersOf(found[name]!)) < 1e-5, `${family} ${name}`);
    await source.close();
  }
});

test('a factored table is seen as a narrow one and a projection, in both formats, and its parameters are theirs', {
  skip: noGenerated,
}, async () => {
  for (const path of [
    'bert-base/model.safetensors',
    'roberta-base/model.safetensors',
    'bert-base/model.torchscript.onnx',
    'bert-base/model.dynamo.onnx',
    'distilbert-base/model.torchscript.onnx',
    'tied-mlm/model.once.onnx',
  ]) {
    const source = await openSource(join(generated, path));
    const { model } = await apply(source.body, await planOf(source.body, { rank: 12 }, 'factorize-embeddings'));
    const written = { ...(await openMemory(await writeToMemory(model), nameOf(model))), config: model.config };
    const anatomy = await detect(written);
    const [before, after] = [source.body.anatomy.tables[0]!, anatomy.tables[0]!];
    assert.deepEqual([after.id, after.rows, after.width], [before.id, before.rows, 12], path);
    const projection = anatomy.embeddingProjection!;
    assert.deepEqual([projection.id, projection.out, projection.in], ['embeddings.embedding_transformation', before.width, 12]);
    const parameters = (it: Body) => summarize(it.model, it.anatomy).model.parameters;
    const added = 12 * (before.rows + before.width) + (projection.bias ? before.width : 0);
    assert.equal(parameters({ model: written, anatomy }), parameters(source.body) - before.rows * before.width + added, path);
    assert.equal(anatomy.layers.length, source.body.anatomy.layers.length);
    await source.close();
  }
});

test('tables that are factored already, tied in a checkpoint, or would grow are left alone with the reason', {
  skip: noGenerated,
}, async () => {
  for (const [path, rank, reason] of [
    ['albert-base/model.safetensors', 4, /factored already/],
    ['bert-masked-lm/model.safetensors', 4, /decoder reads it too/],
    ['bert-base/model.safetensors', 40, /would not make it smaller/],
    ['bert-base/model.safetensors', 41, /more than it has/],
  ] as const) {
    const source = await openSource(join(generated, path));
    const { edits, skipped } = await planOf(source.body, { rank }, 'factorize-embeddings');
    assert.equal(edits.length, 0, path);
    assert.match(skipped[0]!.reason.text, reason);
    await source.close();
  }
});
