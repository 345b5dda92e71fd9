import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { Tokenizer } from '@huggingface/tokenizers';
import { InferenceSession } from 'onnxruntime-node';
import { expectedOf, generated, noGenerated, plainModels, quantized, weightEdits } from '../passes/fixtures.ts';
import { cosine, numbersOf, type Rows, run, runSession, someIds } from '../passes/run.ts';

const graphs = plainModels.filter(path => path.endsWith('.onnx'));

for (const [options, least] of [
  [{}, 0.998],
  [{ operators: 'standard' }, 0.998],
  [{ activation_bits: 8, smooth: 0 }, 0.999],
] as const)
  test(`int8 of every generated ONNX model with ${JSON.stringify(options)} runs in onnxruntime, its first output within cosine ${least} of the original’s`, {
    skip: noGenerated,
  }, async () => {
    for (const path of graphs) {
      const { inputs } = expectedOf(path.split('/')[0]!);
      const [ids, mask] = [inputs.input_ids as Rows, inputs.attention_mask as Rows];
      const before = await run(join(generated, path), ids, mask);
      const { bytes } = await quantized(join(generated, path), options);
      const after = await run(bytes, ids, mask);
      assert.deepEqual(Object.keys(after), Object.keys(before), path);
      const [name] = Object.keys(before);
      assert.equal(after[name!]!.type, before[name!]!.type, path);
      const similar = cosine(numbersOf(before[name!]!), numbersOf(after[name!]!));
      assert.ok(similar > least, `${path}: cosine ${similar}`);
    }
  });

/** A sentence alone, and as the first of a padded batch. */
async function differences(bytes: Uint8Array): Promise<{ compared: number; different: number }> {
  const session = await InferenceSession.create(bytes, { intraOpNumThreads: 2, logSeverityLevel: 3 });
  let [compared, different] = [0, 0];
  for (const length of [1, 3, 8, 13, 21]) {
    const [sentence] = someIds(1, length);
    const alone = numbersOf(Object.values(await runSession(session, [sentence!]))[0]!);
    for (const [batch, padded] of [
      [1, length + 1],
      [4, length],
      [7, 40],
      [2, 63],
    ] as const) {
      const ids = someIds(batch, padded, 7);
      ids[0]!.splice(0, length, ...sentence!);
      const mask = ids.map((row, r) => row.map((_, i) => (r === 0 && i >= length ? 0 : 1)));
      const together = numbersOf(Object.values(await runSession(session, ids, mask))[0]!);
      for (let i = 0; i < alone.length; i++) if (together[i] !== alone[i]) different++;
      compared += alone.length;
    }
  }
  await session.release();
  return { compared, different };
}

for (const [title, options, same] of [
  ['int8', {}, true],
  ['int8 with activations of 8 bits', { activation_bits: 8 }, true],
  ['int8 of standard operators', { operators: 'standard' }, true],
  ['int8-dynamic', { scheme: 'int8-dynamic' }, false],
] as const)
  test(`${title}: the states of a sentence ${same ? 'are the same bit for bit alone and' : 'differ (as onnxruntime’s do) between alone and'} in padded batches`, {
    skip: noGenerated,
  }, async () => {
    for (const path of ['bert-base/model.torchscript.onnx', 'bert-base/model.dynamo.onnx', 'bert-base/model.sdpa.onnx']) {
      const { bytes } = await quantized(join(generated, path), options);
      const { compared, different } = await differences(bytes);
      assert.ok(compared > 1000);
      assert.equal(different === 0, same, `${path}: ${different} of ${compared}`);
    }
  });

test('query, key and value share one quantization of their input', { skip: noGenerated }, async () => {
  const { nodes } = (await quantized(join(generated, 'bert-base/model.torchscript.onnx'))).body.model.graph!;
  const count = (opType: string) => nodes.filter(node => node.opType === opType).length;
  // 3 layers of query, key, value, output, up, down, and the pooler
  assert.equal(count('MatMulIntegerToFloat'), 3 * 6 + 1);
  // The inputs of a layer, of its output projection, of up and of down; of the pooler
  assert.equal(count('QuantizeLinear'), 3 * 4 + 1);
});

test('a matrix that four layers of ALBERT read is stored once and multiplied four times', { skip: noGenerated }, async () => {
  const { body, plan } = await quantized(join(generated, 'albert-base/model.torchscript.onnx'));
  const shared = weightEdits(plan).filter(edit => edit.target.id.startsWith('encoder.'));
  assert.ok(shared.length >= 2);
  for (const { target } of shared) {
    const readers = body.model.graph!.nodes.filter(node => node.inputs.includes(`${target.weight.name}_quantized`));
    assert.deepEqual(
      readers.map(node => node.opType),
      Array(4).fill('MatMulIntegerToFloat'),
    );
  }
});

test('a table that is looked up and multiplied is stored once, by rows, and turned in the graph', {
  skip: noGenerated,
}, async () => {
  const { body, plan } = await quantized(join(generated, 'tied-mlm/model.once.onnx'));
  const table = weightEdits(plan).find(edit => edit.target.id === 'embeddings.word_embeddings');
  assert.ok(table && table.kind === 'quantize' && table.layout === 'stored');
  const name = table.target.weight.name;
  const readers = body.model.graph!.nodes.filter(node => node.inputs.includes(`${name}_quantized`)).map(node => node.opType);
  assert.deepEqual(readers.sort(), ['Gather', 'Transpose']);
  assert.ok(!body.model.tensors.has(name));
});

test('int8 uses standard operators only where asked, and no name of a value or a node twice', { skip: noGenerated }, async () => {
  for (const [operators, path] of graphs.flatMap(path => ['standard', 'contrib'].map(it => [it, path] as const))) {
    const { body } = await quantized(join(generated, path), { operators });
    const { nodes, initializers, opsets } = body.model.graph!;
    const values = [...initializers, ...nodes.flatMap(node => node.outputs.filter(name => name !== ''))];
    assert.equal(new Set(values).size, values.length, path);
    const names = nodes.map(node => node.name).filter(name => name !== '');
    assert.equal(new Set(names).size, names.length, path);
    const domains = operators === 'standard' ? [''] : ['', 'com.microsoft'];
    assert.deepEqual([...new Set(nodes.map(node => node.domain))].sort(), domains, path);
    assert.ok(domains.every(domain => opsets.has(domain)));
  }
});

test('int8 of the sample gives all 60 of its reviews the label that the sample gives, logits within 0.2', async () => {
  const folder = resolve(import.meta.dirname, '../../../media/sample');
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  const tokenizer = new Tokenizer(JSON.parse(read('tokenizer.json')), JSON.parse(read('tokenizer_config.json')));
  const reviews = read('reviews.tsv').trim().split('\n').slice(1);
  const { bytes } = await quantized(join(folder, 'model.onnx'));
  const sessions = [await InferenceSession.create(join(folder, 'model.onnx')), await InferenceSession.create(bytes)];
  assert.equal(reviews.length, 60);
  for (const review of reviews) {
    const { ids } = tokenizer.encode(review.split('\t')[0]!);
    const [before, after] = await Promise.all(
      sessions.map(async session => numbersOf(Object.values(await runSession(session, [ids]))[0]!)),
    );
    assert.equal(before![1]! > before![0]!, after![1]! > after![0]!, review);
    const largest = Math.max(...after!.map((logit, i) => Math.abs(logit - before![i]!)));
    assert.ok(largest < 0.2, `${review}: ${largest}`);
  }
});
