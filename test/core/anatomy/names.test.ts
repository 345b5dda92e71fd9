import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detect } from '../../../src/core/anatomy/detect.ts';
import { say } from '../../../src/core/errors.ts';
import { summarize } from '../../../src/core/report/summary.ts';
import type { Tensor } from '../../../src/core/tensor/tensor.ts';
import { type BertShape, bertTensors, made, madeModel } from './made-models.ts';

const base: BertShape = { vocabulary: 30522, hidden: 768, layers: 12, forward: 3072 };
const large: BertShape = { vocabulary: 30522, hidden: 1024, layers: 24, forward: 4096 };

async function inspect(tensors: readonly Tensor[], config: Record<string, unknown> = {}) {
  const model = madeModel(tensors, config);
  const anatomy = await detect(model);
  return { anatomy, summary: summarize(model, anatomy) };
}

/** Totals of the table in the papers' appendices and of instantiated models. */
const totals: readonly [string, BertShape, number][] = [
  ['BERT-base uncased', base, 109_482_240],
  ['BERT-base cased', { ...base, vocabulary: 28996 }, 108_310_272],
  ['BERT-base Chinese', { ...base, vocabulary: 21128 }, 102_267_648],
  ['BERT-large uncased', large, 335_141_888],
  ['BERT-mini', { ...base, hidden: 256, layers: 4, forward: 1024 }, 11_170_560],
  ['BERT-tiny', { ...base, hidden: 128, layers: 2, forward: 512 }, 4_385_920],
  ['RoBERTa-base', { ...base, vocabulary: 50265, positions: 514, types: 1 }, 124_645_632],
  ['MiniLM-L12-H384', { ...base, hidden: 384, forward: 1536 }, 33_360_000],
  ['TinyBERT4', { ...base, hidden: 312, layers: 4, forward: 1200 }, 14_350_248],
];

for (const [name, shape, total] of totals)
  test(`${name} has ${total} parameters`, async () => {
    const { summary } = await inspect(bertTensors(shape));
    assert.equal(summary.model.parameters, total);
    assert.equal(summary.tree.parameters, total);
    assert.equal(summary.tree.byteLength, 4 * total);
  });

test('a layer of BERT-base has 7,087,872 parameters and a head 196,800', async () => {
  const { summary } = await inspect(bertTensors(base), { model_type: 'bert', hidden_size: 768, num_attention_heads: 12 });
  const encoder = summary.tree.children!.find(row => row.id === 'encoder')!;
  assert.deepEqual(
    encoder.children!.map(layer => layer.parameters),
    Array(12).fill(7_087_872),
  );
  assert.equal(summary.heads.length, 144);
  assert.ok(summary.heads.every(head => head.parameters === 196_800 && head.byteLength === 787_200));
  const [attention, feedForward] = encoder.children![0]!.children!;
  assert.equal(attention!.parameters, 2_362_368 + 1_536);
  assert.equal(feedForward!.parameters, 4_722_432 + 1_536);
});

test('a layer of BERT-large has 12,596,224 parameters', async () => {
  const { summary } = await inspect(bertTensors(large));
  assert.equal(summary.tree.children!.find(row => row.id === 'encoder')!.children![0]!.parameters, 12_596_224);
});

const distil: readonly [RegExp, string][] = [
  [/encoder\.layer/, 'transformer.layer'],
  [/attention\.self\.(.)\w+/, 'attention.$1_lin'],
  [/attention\.output\.dense/, 'attention.out_lin'],
  [/attention\.output\.LayerNorm/, 'sa_layer_norm'],
  [/intermediate\.dense/, 'ffn.lin1'],
  [/(\d)\.output\.dense/, '$1.ffn.lin2'],
  [/(\d)\.output\.LayerNorm/, '$1.output_layer_norm'],
];

test('DistilBERT has 66,362,880 parameters', async () => {
  const tensors = bertTensors({ ...base, layers: 6, pooler: false })
    .filter(tensor => !tensor.name.includes('token_type'))
    .map(tensor => ({ ...tensor, name: distil.reduce((name, [from, to]) => name.replace(from, to), tensor.name) }));
  const { summary } = await inspect(tensors, { model_type: 'distilbert', dim: 768, n_heads: 12 });
  assert.equal(summary.model.family, 'distilbert');
  assert.equal(summary.model.parameters, 66_362_880);
  assert.deepEqual(summary.model.heads, Array(6).fill(12));
  assert.ok(summary.heads.every(head => head.parameters === 196_800));
});

/** ALBERT base, large, xlarge and xxlarge (v1): hidden, feed-forward, layers, heads, parameters. */
const alberts: readonly [string, number, number, number, number][] = [
  ['base', 768, 12, 12, 11_683_584],
  ['large', 1024, 24, 16, 17_683_968],
  ['xlarge', 2048, 24, 16, 58_724_864],
  ['xxlarge', 4096, 12, 64, 222_595_584],
];

const albertNames: readonly [RegExp, string][] = [
  [/encoder\.layer\.0/, 'encoder.albert_layer_groups.0.albert_layers.0'],
  [/attention\.self\./, 'attention.'],
  [/attention\.output\./, 'attention.'],
  [/intermediate\.dense/, 'ffn'],
  [/layers\.0\.output\.dense/, 'layers.0.ffn_output'],
  [/layers\.0\.output\.LayerNorm/, 'layers.0.full_layer_layer_norm'],
  [/pooler\.dense/, 'pooler'],
];

for (const [size, hidden, layers, heads, total] of alberts)
  test(`ALBERT ${size} has ${total} parameters, its one layer counted once and run ${layers} times`, async () => {
    const encoder = bertTensors({ vocabulary: 30000, hidden, layers: 1, forward: 4 * hidden })
      .filter(tensor => !tensor.name.startsWith('embeddings.'))
      .map(tensor => ({ ...tensor, name: albertNames.reduce((name, [from, to]) => name.replace(from, to), tensor.name) }));
    const embeddings = bertTensors({ vocabulary: 30000, hidden: 128, layers: 0, forward: 0, pooler: false });
    const mapping = 'encoder.embedding_hidden_mapping_in';
    const projection = [made(`${mapping}.weight`, [hidden, 128]), made(`${mapping}.bias`, [hidden])];
    const config = { model_type: 'albert', num_hidden_layers: layers, num_attention_heads: heads, hidden_size: hidden };
    const { summary, anatomy } = await inspect([...embeddings, ...projection, ...encoder], config);
    assert.equal(summary.model.parameters, total);
    assert.equal(summary.model.layers, layers);
    assert.deepEqual(new Set(anatomy.layers.map(layer => layer.stored)), new Set([0]));
    assert.equal(anatomy.linears.length, 8);
    const rows = summary.tree.children!.find(row => row.id === 'encoder')!.children!;
    assert.equal(rows[1]!.title, 'Layer 1, shared with Layer 0');
    assert.equal(rows[1]!.byteLength, 0);
  });

test('without config.json the number of heads is asked for, not guessed', async () => {
  const { anatomy, summary } = await inspect(bertTensors({ ...base, hidden: 384, layers: 2, forward: 1536 }));
  assert.deepEqual(summary.model.heads, [0, 0]);
  assert.equal(summary.model.headDim, 0);
  assert.deepEqual(summary.heads, []);
  const [warning] = anatomy.warnings!;
  assert.equal(warning!.code, 'heads-unknown');
  assert.equal(say(warning!.message), 'The number of attention heads is not stated. 384 can be split into 6, 12, 24.');
});

test('families that share names are told apart by config.json, and without it by a projection', async () => {
  const { summary } = await inspect(bertTensors({ ...base, layers: 1 }), { model_type: 'xlm-roberta' });
  assert.equal(summary.model.family, 'xlm-roberta');
  const { summary: electra } = await inspect([
    ...bertTensors({ ...base, layers: 1 }),
    made('embeddings_project.weight', [768, 768]),
  ]);
  assert.equal(electra.model.family, 'electra');
});

test('a layer with a matrix missing is no layer, and its tensors are shown under Other', async () => {
  const tensors = bertTensors({ ...base, layers: 2 }).filter(
    tensor => !tensor.name.includes('layer.1.attention.self.key.weight'),
  );
  const { anatomy, summary } = await inspect(tensors);
  assert.equal(anatomy.layers.length, 1);
  assert.ok(anatomy.unclaimed.every(tensor => tensor.name.startsWith('encoder.layer.1.')));
  assert.equal(summary.tree.byteLength, summary.file.byteLength);
});

test('int8 weights of compressed-tensors are the matrices they stand for', async () => {
  const tensors = bertTensors({ ...base, layers: 1 }).flatMap(tensor =>
    /(attention|intermediate|layer\.0\.output)\..*dense\.weight|self\.\w+\.weight/.test(tensor.name)
      ? [made(tensor.name, tensor.shape, 'int8'), made(tensor.name.replace('.weight', '.weight_scale'), [tensor.shape[0]!, 1])]
      : [tensor],
  );
  const config = { model_type: 'bert', hidden_size: 768, num_attention_heads: 12 };
  const { anatomy, summary } = await inspect(tensors, config);
  const plain = await inspect(bertTensors({ ...base, layers: 1 }), config);
  assert.equal(anatomy.layers[0]!.query.form, 'quantized');
  assert.equal(summary.model.parameters, plain.summary.model.parameters);
  assert.deepEqual(
    summary.heads.map(head => head.parameters),
    plain.summary.heads.map(head => head.parameters),
  );
  // Of each of 64 rows of query, key and value: 768 bytes, a bias and a scale; of the output's 64 columns 768 bytes.
  assert.equal(summary.heads[0]!.byteLength, 64 * (3 * (768 + 4 + 4) + 768));
});

test('a BERT with a gate in one matrix (jina-embeddings-v2): the gate first, then up', async () => {
  const config = { model_type: 'bert', hidden_size: 16, num_attention_heads: 2, intermediate_size: 24 };
  const tensors = bertTensors({ vocabulary: 20, hidden: 16, layers: 2, forward: 24 }).flatMap(({ name, shape }) => {
    if (name.endsWith('intermediate.dense.weight')) return made(name.replace('intermediate.dense', 'mlp.gated_layers'), [48, 16]);
    if (name.endsWith('intermediate.dense.bias')) return [];
    const jina = name.replace(/(\d)\.output\.dense/, '$1.mlp.wo').replace(/(\d)\.output\.LayerNorm/, '$1.mlp.layernorm');
    return made(jina, shape);
  });
  const { anatomy, summary } = await inspect(tensors, config);
  assert.deepEqual([summary.model.layers, summary.model.intermediate, anatomy.unclaimed], [2, [24, 24], []]);
  assert.match(anatomy.layers[0]!.gate!.weight.name, /\[0:24\]$/);
  assert.match(anatomy.layers[0]!.up.weight.name, /\[24:48\]$/);
  assert.equal(anatomy.layers[0]!.up.within, anatomy.layers[0]!.gate!.within);
});

test('a parametrized matrix is that matrix, and what changes it stands beside it (jina-embeddings-v3)', async () => {
  const config = { model_type: 'bert', hidden_size: 16, num_attention_heads: 2 };
  const query = 'encoder.layer.0.attention.self.query';
  const tensors = bertTensors({ vocabulary: 20, hidden: 16, layers: 1, forward: 24 }).map(({ name, shape }) =>
    made(name === `${query}.weight` ? `${query}.parametrizations.weight.original` : name, shape),
  );
  const low = made(`${query}.parametrizations.weight.0.lora_A`, [5, 4, 16]);
  const { anatomy, summary } = await inspect([...tensors, low], config);
  assert.deepEqual(anatomy.unclaimed, []);
  assert.equal(anatomy.layers[0]!.query.weight.name, `${query}.parametrizations.weight.original`);
  assert.deepEqual(anatomy.layers[0]!.extra![0]!.tensors, [['', low]]);
  assert.equal(summary.tree.byteLength, summary.file.byteLength);
});
