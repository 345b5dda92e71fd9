import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detect } from '../../../src/core/anatomy/detect.ts';
import { checkAgreement } from '../../../src/core/export/agrees.ts';
import { exportGraph } from '../../../src/core/export/export.ts';
import type { Model } from '../../../src/core/model/model.ts';
import type { Tensor } from '../../../src/core/tensor/tensor.ts';

/** A BERT of one layer without numbers: an export reads none. */
function tiny(config: Model['config'], dtype: Tensor['dtype'] = 'fp32'): Model {
  const tensors = new Map<string, Tensor>();
  const add = (name: string, ...shape: number[]) => {
    const bytes = async () => assert.fail(`${name} was read`);
    tensors.set(name, { name, dtype, shape, byteLength: 4 * shape.reduce((a, b) => a * b, 1), bytes });
  };
  const linear = (name: string, out: number, width: number) => {
    add(`${name}.weight`, out, width);
    add(`${name}.bias`, out);
  };
  const norm = (name: string) => {
    for (const part of ['weight', 'bias']) add(`${name}.${part}`, 8);
  };
  for (const [name, rows] of [
    ['word', 50],
    ['position', 20],
    ['token_type', 2],
  ] as const)
    add(`embeddings.${name}_embeddings.weight`, rows, 8);
  norm('embeddings.LayerNorm');
  for (const name of ['query', 'key', 'value']) linear(`encoder.layer.0.attention.self.${name}`, 8, 8);
  linear('encoder.layer.0.attention.output.dense', 8, 8);
  norm('encoder.layer.0.attention.output.LayerNorm');
  linear('encoder.layer.0.intermediate.dense', 12, 8);
  linear('encoder.layer.0.output.dense', 8, 12);
  norm('encoder.layer.0.output.LayerNorm');
  return {
    format: 'safetensors',
    name: 'model.safetensors',
    byteLength: 0,
    parts: [],
    tensors,
    config,
    metadata: {},
    complete: true,
    warnings: [],
  };
}

const known = { model_type: 'bert', num_attention_heads: 2, hidden_size: 8 };
const exporting = async (model: Model) => exportGraph(model, await detect(model));

test('a graph is made without reading a number of the weights', async () => {
  const { graph, left } = await exporting(tiny(known));
  assert.deepEqual(
    graph.inputs.map(({ name }) => name),
    ['input_ids', 'attention_mask', 'token_type_ids'],
  );
  assert.deepEqual(left, []);
});

for (const [what, model, sentence] of [
  [
    'a family that is not built yet',
    tiny({ ...known, model_type: 'nezha' }),
    /^model\.safetensors: Models of the family nezha cannot be exported yet/,
  ],
  ['relative positions', tiny({ ...known, position_embedding_type: 'relative_key' }), /positions of the type relative_key/],
  ['a decoder', tiny({ ...known, is_decoder: true }), /generates text/],
  ['heads that nothing tells', tiny({ model_type: 'bert' }), /how many heads layer 0 has/],
  ['an activation of its own', tiny({ ...known, hidden_act: 'softer' }), /activation “softer”.*Known are gelu/],
  ['integers', tiny(known, 'int8'), /encoder\.layer\.0\.attention\.self\.query is stored as int8/],
  ['a missing shard', { ...tiny(known), complete: false }, /A part of the model is not there/],
  ['a model that is none', { ...tiny(known), tensors: new Map() }, /No BERT layers were found/],
] as const)
  test(`${what} is refused by name`, async () => {
    await assert.rejects(exporting(model), { message: sentence });
  });

for (const [config, sentence] of [
  [{ ...known, hidden_size: 16 }, /^model\.safetensors: config\.json says hidden_size is 16; the tensors have 8/],
  [{ ...known, num_hidden_layers: 12 }, /num_hidden_layers is 12; the tensors have 1/],
  [{ ...known, intermediate_size: 10 }, /intermediate_size is 10; the tensors have 12/],
] as const)
  test(`a config.json of another model is refused with both numbers: ${JSON.stringify(config)}`, async () => {
    const model = tiny(config);
    const anatomy = await detect(model);
    assert.throws(() => checkAgreement(model, anatomy), { code: 'malformed', message: sentence });
  });

test('fewer heads and neurons than config.json says are a model that was made smaller', async () => {
  const model = tiny({ ...known, num_hidden_layers: 1, intermediate_size: 16 });
  checkAgreement(model, await detect(model));
});

/** A DeBERTa-v2 of one layer without numbers. */
function deberta(config: Model['config'], rows = 8): Model {
  const base = tiny({
    ...known,
    model_type: 'deberta-v2',
    relative_attention: true,
    pos_att_type: 'c2p',
    max_position_embeddings: 4,
    ...config,
  });
  const tensors = new Map<string, Tensor>();
  const as = (name: string) => name.replace(/self\.(query|key|value)\./, 'self.$1_proj.');
  for (const [name, tensor] of base.tensors) tensors.set(as(name), { ...tensor, name: as(name) });
  const name = 'encoder.rel_embeddings.weight';
  tensors.set(name, { ...base.tensors.get('embeddings.word_embeddings.weight')!, name, shape: [rows, 8], byteLength: 32 * rows });
  return { ...base, tensors };
}

for (const [what, model, sentence] of [
  [
    'a projection that is not there',
    deberta({}),
    /asks for the module encoder\.layer\.0\.attention\.self\.pos_key_proj, which the checkpoint/,
  ],
  [
    'a table of positions that is too short',
    deberta({ share_att_key: true }, 6),
    /encoder\.rel_embeddings has 6 rows; config\.json asks for 8/,
  ],
  [
    'a norm that is not there',
    deberta({ share_att_key: true, norm_rel_ebd: 'layer_norm' }),
    /asks for the module encoder\.LayerNorm/,
  ],
] as const)
  test(`DeBERTa: ${what} is refused by name`, async () => {
    await assert.rejects(exporting(model), { code: 'unsupported', message: sentence });
  });

test('DeBERTa: a table of positions that config.json does not ask for is left out, and said', async () => {
  const { left } = await exporting(deberta({ relative_attention: false }));
  assert.deepEqual(left, ['encoder.rel_embeddings']);
});
