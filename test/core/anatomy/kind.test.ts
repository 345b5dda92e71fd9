import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detect } from '../../../src/core/anatomy/detect.ts';
import { say } from '../../../src/core/errors.ts';
import { summarize } from '../../../src/core/report/summary.ts';
import { bertTensors, made, madeModel } from './made-models.ts';

async function sentenceOf(names: readonly (readonly [string, readonly number[]])[], config: Record<string, unknown> = {}) {
  const model = madeModel(
    names.map(([name, shape]) => made(name, shape)),
    config,
  );
  const anatomy = await detect(model);
  const { tree, model: facts } = summarize(model, anatomy);
  assert.equal(facts.layers, 0);
  assert.equal(
    tree.parameters,
    names.reduce((sum, [, shape]) => sum + shape.reduce((product, size) => product * size, 1), 0),
  );
  return say(anatomy.notBert!);
}

test('what config.json says a model is, in one sentence', async () => {
  const any = [['weight', [2, 3]]] as const;
  const kinds = {
    gpt2: 'Not a BERT: config.json says gpt2, a decoder for text generation.',
    llama: 'Not a BERT: config.json says llama, a decoder for text generation.',
    t5: 'Not a BERT: config.json says t5, an encoder with a decoder.',
    bart: 'Not a BERT: config.json says bart, an encoder with a decoder.',
    clip: 'Not a BERT: config.json says clip, a model of images and text.',
    vit: 'Not a BERT: config.json says vit, a model of images.',
    resnet: 'Not a BERT: config.json says resnet, a model of images.',
    whisper: 'Not a BERT: config.json says whisper, a model of sound.',
    'something-new': 'Not a BERT that Headroom knows: config.json says something-new.',
  };
  for (const [model_type, sentence] of Object.entries(kinds)) assert.equal(await sentenceOf(any, { model_type }), sentence);
});

test('what the names of tensors say a model is', async () => {
  const matrix = [4, 4];
  const kinds: readonly (readonly [string, readonly (readonly [string, readonly number[]])[]])[] = [
    ['it looks like GPT-2.', [['transformer.h.0.attn.c_attn.weight', [4, 12]]]],
    ['it looks like a decoder for text generation.', [['model.layers.0.self_attn.q_proj.weight', matrix]]],
    ['it looks like T5.', [['encoder.block.0.layer.1.DenseReluDense.wi.weight', matrix]]],
    ['it looks like BART.', [['model.decoder.layers.0.encoder_attn.q_proj.weight', matrix]]],
    [
      'it looks like Whisper.',
      [
        ['model.encoder.conv1.weight', [4, 80, 3]],
        ['model.decoder.layers.0.encoder_attn.q_proj.weight', matrix],
      ],
    ],
    ['it looks like CLIP.', [['vision_model.encoder.layers.0.self_attn.q_proj.weight', matrix]]],
    [
      'it looks like a Transformer for images.',
      [
        ['embeddings.patch_embeddings.projection.weight', [4, 3, 2, 2]],
        ['encoder.layer.0.attention.attention.query.weight', matrix],
      ],
    ],
    [
      'it looks like a convolutional network.',
      [
        ['layer1.0.conv1.weight', [4, 3, 3, 3]],
        ['layer1.0.bn1.weight', [4]],
        ['fc.weight', [2, 4]],
      ],
    ],
    ['one dense layer, as sentence-transformers keeps it beside its Transformer.', [['linear.weight', matrix]]],
  ];
  for (const [sentence, names] of kinds) assert.equal(await sentenceOf(names), `Not a BERT: ${sentence}`);
});

test('a LoRA adapter is said to be one, with its rank and what it is for', async () => {
  const at = 'base_model.model.bert.encoder.layer';
  const names = [0, 1].flatMap(layer =>
    ['query', 'value'].flatMap(name => [
      [`${at}.${layer}.attention.self.${name}.lora_A.weight`, [8, 64]] as const,
      [`${at}.${layer}.attention.self.${name}.lora_B.weight`, [64, 8]] as const,
    ]),
  );
  assert.equal(await sentenceOf(names), 'A LoRA adapter, not a model by itself: 4 matrices of rank 8, for query, value.');
  assert.equal(
    await sentenceOf(names, { base_model_name_or_path: 'bert-base-uncased' }),
    'A LoRA adapter for bert-base-uncased, not a model by itself: 4 matrices of rank 8, for query, value.',
  );
  assert.equal(
    await sentenceOf(names, { base_model_name_or_path: 'bert-base-uncased', lora_alpha: 16 }),
    'A LoRA adapter for bert-base-uncased, not a model by itself: 4 matrices of rank 8 and alpha 16, for query, value.',
  );
});

test('a model with an adapter still inside is the model, the adapter beside what it changes', async () => {
  const plain = bertTensors({ vocabulary: 20, hidden: 16, layers: 1, forward: 32 }, 'base_model.model.bert.');
  const query = 'base_model.model.bert.encoder.layer.0.attention.self.query';
  const tensors = plain.map(tensor => made(tensor.name.replace(query, `${query}.base_layer`), tensor.shape));
  const added = [made(`${query}.lora_A.default.weight`, [2, 16]), made(`${query}.lora_B.default.weight`, [16, 2])];
  const model = madeModel([...tensors, ...added], { model_type: 'bert', hidden_size: 16, num_attention_heads: 2 });
  const anatomy = await detect(model);
  assert.deepEqual([anatomy.layers.length, anatomy.unclaimed, anatomy.layers[0]!.query.out], [1, [], 16]);
  assert.deepEqual(
    anatomy.layers[0]!.extra!.map(organ => [organ.id, organ.part]),
    [
      ['encoder.layer.0.attention.self.query.lora_A.default', 'attention'],
      ['encoder.layer.0.attention.self.query.lora_B.default', 'attention'],
    ],
  );
});

test('modules of sentence-transformers beside the encoder, and the head of ColBERT, are heads of it', async () => {
  for (const [prefix, name] of [
    ['0.auto_model.', '2.linear'],
    ['bert.', 'linear'],
  ] as const) {
    const tensors = [
      ...bertTensors({ vocabulary: 20, hidden: 16, layers: 1, forward: 32 }, prefix),
      made(`${name}.weight`, [8, 16]),
    ];
    const anatomy = await detect(madeModel(tensors, { model_type: 'bert', hidden_size: 16, num_attention_heads: 2 }));
    assert.deepEqual(anatomy.unclaimed, []);
    assert.deepEqual(
      anatomy.top.map(organ => organ.id),
      ['pooler.dense', name],
    );
    assert.equal(anatomy.task, 'base');
  }
});
