import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detect } from '../../../src/core/anatomy/detect.ts';
import { summarize } from '../../../src/core/report/summary.ts';
import type { Tensor } from '../../../src/core/tensor/tensor.ts';
import { bertTensors, floats, made, madeModel } from './made-models.ts';

async function inspect(tensors: readonly Tensor[], config: Record<string, unknown>) {
  const model = madeModel(tensors, config);
  const anatomy = await detect(model);
  return { anatomy, summary: summarize(model, anatomy) };
}

/** A BERT whose layers have as many outputs of query, key and value as said. */
const withOutputs = (hidden: number, outputs: readonly number[]): Tensor[] =>
  bertTensors({ vocabulary: 20, hidden, layers: outputs.length, forward: 50 }).map(tensor => {
    const out = outputs[Number(tensor.name.match(/layer\.(\d+)\./)?.[1])]!;
    if (/self\.\w+\.(weight|bias)$/.test(tensor.name)) return made(tensor.name, [out, ...tensor.shape.slice(1)]);
    return /attention\.output\.dense\.weight$/.test(tensor.name) ? made(tensor.name, [hidden, out]) : tensor;
  });

const facts = async (tensors: readonly Tensor[], config: Record<string, unknown>) => {
  const { summary } = await inspect(tensors, { model_type: 'bert', ...config });
  const each = [...new Set(summary.heads.map(head => head.parameters))];
  return [summary.model.heads, summary.model.headDim, each];
};

test('layers from which heads were taken have fewer, each as wide as before', async () => {
  const tensors = withOutputs(30, [30, 10, 20]);
  assert.deepEqual(await facts(tensors, { hidden_size: 30, num_attention_heads: 3 }), [[3, 1, 2], 10, [10 * (3 * 31 + 30)]]);
});

test('every layer pruned alike: config.json lists the heads that were taken', async () => {
  const config = { hidden_size: 32, num_attention_heads: 4, pruned_heads: { 0: [1, 3], 1: [0, 2] } };
  assert.deepEqual(await facts(withOutputs(32, [16, 16]), config), [[2, 2], 8, [8 * (3 * 33 + 32)]]);
});

test('a head may be wider or narrower than hidden / heads: head_dim says it, or a layer wider than the hidden states', async () => {
  const wide = withOutputs(30, [64, 64]);
  assert.deepEqual(await facts(wide, { hidden_size: 30, num_attention_heads: 4 }), [[4, 4], 16, [16 * (3 * 31 + 30)]]);
  const narrow = withOutputs(32, [16, 16]);
  const config = { hidden_size: 32, num_attention_heads: 4, head_dim: 4 };
  assert.deepEqual(await facts(narrow, config), [[4, 4], 4, [4 * (3 * 33 + 32)]]);
  const uneven = withOutputs(30, [64, 16]);
  assert.deepEqual(await facts(uneven, { hidden_size: 30, num_attention_heads: 4 }), [[4, 1], 16, [16 * (3 * 31 + 30)]]);
});

test('heads that do not divide the hidden states: the width is that of the query', async () => {
  assert.deepEqual((await facts(withOutputs(30, [28]), { hidden_size: 30, num_attention_heads: 4 }))[0], [4]);
});

test('one layer of 30 with 3 heads and a feed-forward network of 7', async () => {
  const tensors = bertTensors({ vocabulary: 20, hidden: 30, layers: 1, forward: 7 });
  const { summary } = await inspect(tensors, { model_type: 'bert', hidden_size: 30, num_attention_heads: 3 });
  assert.deepEqual([summary.model.heads, summary.model.headDim, summary.model.intermediate], [[3], 10, [7]]);
});

/** The numbers 0, 1, 2, … one a row, so that a row is its own name. */
const rows = (name: string, count: number) =>
  made(name, [count, 1], 'fp32', floats(...Array.from({ length: count }, (_, i) => i)));

test('query, key and value of one matrix are its thirds, or of DeBERTa its rows head by head; what is stored is the whole', async () => {
  const read = async (bytes: Promise<Uint8Array>) => [...new Float32Array((await bytes).slice().buffer)];
  const nomic = [
    rows('encoder.layers.0.attn.Wqkv.weight', 12),
    made('encoder.layers.0.attn.out_proj.weight', [1, 4]),
    made('encoder.layers.0.mlp.fc1.weight', [3, 1]),
    made('encoder.layers.0.mlp.fc2.weight', [1, 3]),
  ];
  const { anatomy } = await inspect(nomic, { model_type: 'nomic_bert', n_head: 2, n_embd: 4 });
  const { query, key, value } = anatomy.layers[0]!;
  assert.deepEqual(await read(query.weight.bytes()), [0, 1, 2, 3]);
  assert.deepEqual(await read(key.weight.bytes(4, 12)), [5, 6]);
  assert.deepEqual(await read(value.weight.bytes()), [8, 9, 10, 11]);
  assert.equal(query.within, value.within);
  assert.deepEqual(
    anatomy.linears.map(linear => [linear.id, linear.out]),
    [
      ['encoder.layer.0.attention.self.query_key_value', 12],
      ['encoder.layer.0.attention.output.dense', 1],
      ['encoder.layer.0.intermediate.dense', 3],
      ['encoder.layer.0.output.dense', 1],
    ],
  );
  const at = 'encoder.layer.0';
  const deberta = [
    rows(`${at}.attention.self.in_proj.weight`, 12),
    made(`${at}.attention.output.dense.weight`, [1, 4]),
    made(`${at}.intermediate.dense.weight`, [3, 1]),
    made(`${at}.output.dense.weight`, [1, 3]),
  ];
  const layer = (await inspect(deberta, { model_type: 'deberta', num_attention_heads: 2, hidden_size: 4 })).anatomy.layers[0]!;
  assert.deepEqual(await read(layer.query.weight.bytes()), [0, 1, 6, 7]);
  assert.deepEqual(await read(layer.key.weight.bytes()), [2, 3, 8, 9]);
  assert.deepEqual(await read(layer.value.weight.bytes(4, 12)), [5, 10]);
});
