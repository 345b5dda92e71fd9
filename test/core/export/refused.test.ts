import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detect } from '../../../src/core/anatomy/detect.ts';
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
