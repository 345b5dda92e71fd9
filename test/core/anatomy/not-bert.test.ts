import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { detect } from '../../../src/core/anatomy/detect.ts';
import { openFileSource } from '../../../src/core/bytes/file.ts';
import { fileFolder } from '../../../src/core/bytes/folder.ts';
import { HeadroomError, say } from '../../../src/core/errors.ts';
import { openModel } from '../../../src/core/format/open.ts';
import { closeModel } from '../../../src/core/format/stored.ts';
import { summarize } from '../../../src/core/report/summary.ts';
import type { Summary, TreeNode } from '../../../src/core/report/tree.ts';
import { made, madeGraph, madeModel, madeNode } from './made-models.ts';

const thirdParty = resolve(import.meta.dirname, '../../../../shared/third-party');
const absent = existsSync(thirdParty) ? false : 'skipped: no third-party models';

async function inspect(path: string): Promise<Summary> {
  const source = await openFileSource(path);
  const model = await openModel(source, fileFolder(dirname(path))).catch(async error => {
    await source.close();
    throw error;
  });
  try {
    return summarize(model, await detect(model));
  } finally {
    await closeModel(model);
  }
}

const inModels = (name: string) => inspect(join(thirdParty, 'models', name));

const ids = new Set<string>();
function check(row: TreeNode): void {
  assert.ok(!ids.has(row.id), `${row.id} is unique`);
  ids.add(row.id);
  assert.ok(row.byteLength >= 0);
  if (!row.children) return;
  row.children.forEach(check);
  for (const key of ['parameters', 'byteLength'] as const)
    assert.equal(
      row.children.reduce((sum, child) => sum + child[key], 0),
      row[key],
      `${row.id}: ${key}`,
    );
}

test('every third-party file that opens has an anatomy, and rows that sum to its length', { skip: absent }, async () => {
  const paths = readdirSync(thirdParty, { recursive: true, encoding: 'utf8' }).filter(path => /\.(onnx|safetensors)$/.test(path));
  let count = 0;
  for (const path of paths) {
    const summary = await inspect(join(thirdParty, path)).catch(error => {
      if (error instanceof HeadroomError) return undefined;
      throw new Error(path, { cause: error });
    });
    if (!summary) continue;
    ids.clear();
    check(summary.tree);
    assert.equal(summary.tree.byteLength, summary.file.byteLength, path);
    assert.equal(summary.model.layers === 0, summary.model.notBert !== undefined, path);
    count++;
  }
  assert.ok(count > 120, `${count} opened`);
});

test('what is no BERT says what it is taken for', { skip: absent }, async () => {
  const sentenceOf = async (name: string) => say((await inModels(name)).model.notBert!);
  assert.equal(
    await sentenceOf('onnxruntime-onnxruntime-qnn__gpt2_past.onnx'),
    'Not a BERT: query, key and value are one matrix, as in GPT-2.',
  );
  assert.equal(
    await sentenceOf('onnxruntime-onnxruntime-qnn__transformers_tiny_t5_model.safetensors'),
    'Not a BERT: it looks like T5.',
  );
  assert.equal(await sentenceOf('f-inverse-jammi-ai__open_clip_model.safetensors'), 'Not a BERT: it looks like CLIP.');
  assert.equal(
    await sentenceOf('onnxruntime-onnxruntime-qnn__fuse_fp16_initializers.onnx'),
    'Not a BERT: it looks like a convolutional network.',
  );
});

test('a ModernBERT is one, with and without its config.json', { skip: absent }, async () => {
  const named = await inModels('f-inverse-jammi-ai__fixtures_tiny_modernbert_classifier_model.safetensors');
  const folder = await inspect(join(thirdParty, 'folders/jammi-tiny_modernbert_classifier/model.safetensors'));
  for (const { model, tree } of [named, folder]) {
    assert.equal(model.family, 'modernbert');
    assert.ok(!tree.children!.some(row => row.id === 'other'));
  }
  assert.ok(folder.model.heads.every(heads => heads > 0));
});

test('BERTs of other exporters are attributed whole', { skip: absent }, async () => {
  const facts = async (path: string) => {
    const { model, tree } = await inspect(join(thirdParty, path));
    const other = tree.children!.find(row => row.id === 'other')?.parameters ?? 0;
    return [model.family, model.task, model.layers, model.heads[0], model.hidden, model.vocabulary, model.parameters, other];
  };
  const tribuo = ['bert', 'base', 1, 1, 50, 1656, 121_200, 0];
  assert.deepEqual(await facts('folders/tribuo-tinybert/model.onnx'), tribuo);
  for (const kind of [
    'fp16',
    'ort_dyn_qint8',
    'ort_dyn_quint8_perchannel',
    'opset17.ort_static_qdq_pc',
    'ort_matmulnbits_sym_b32',
    'ort_matmulnbits_asym_b32',
    'opset21.ort_int4_qdq_b32',
  ])
    assert.deepEqual(await facts(`reference/tribuo_tinybert.${kind}.onnx`), tribuo, kind);
  const distil = ['distilbert', 'sequence-classification', 2, 2, 2, 30522, 62_172, 0];
  assert.deepEqual(await facts('models/huggingface-optimum-onnx__assets_onnx_model.onnx'), distil);
  for (const version of ['', '_0', '_1'])
    assert.deepEqual((await facts(`models/onnxruntime-onnxruntime-qnn__BertForQuestionAnswering${version}.onnx`)).slice(0, 5), [
      'bert',
      'question-answering',
      12,
      2,
      8,
    ]);
  const keras = await facts('models/onnxruntime-onnxruntime-qnn__TFBertForSequenceClassification_1.onnx');
  assert.deepEqual(keras, ['bert', 'sequence-classification', 12, 2, 8, 20, 10_802, 0]);
  assert.deepEqual((await facts('folders/vespa-TinyBERT_4L_312D/model.safetensors')).slice(0, 5), ['bert', 'base', 4, 0, 312]);
  assert.deepEqual((await facts('folders/coldfire-tiny_bert/model.safetensors')).slice(0, 5), ['bert', 'base', 2, 4, 32]);
});

test('a graph that is no BERT still has its matrices, named by their tensors', async () => {
  const tensors = [made('first.weight', [3, 5]), made('second', [7, 5]), made('shape', [2], 'int64')];
  const nodes = [madeNode('MatMul', ['x', 'first.weight'], 'y'), madeNode('Gemm', ['y', 'second'], 'z', { transB: 1 })];
  const model = madeModel(tensors, {}, madeGraph(nodes, ['x'], ['z'], tensors));
  const anatomy = await detect(model);
  assert.deepEqual(
    anatomy.linears.map(linear => [linear.id, linear.in, linear.out, linear.transposed]),
    [
      ['first', 3, 5, true],
      ['second', 5, 7, false],
    ],
  );
  assert.equal(summarize(model, anatomy).model.parameters, 50);
  assert.equal(say(anatomy.notBert!), 'Not a BERT: no attention was found in its graph.');
});

test('layers that normalize first are those of a BERT, unless they mask the future', async () => {
  const tensors = ['q', 'k', 'v', 'o', 'u', 'd'].map(name => made(name, [4, 4]));
  tensors.push(made('table', [9, 4]), made('g1', [4]), made('g2', [4]));
  const nodes = (norm: string, mask: string) => [
    madeNode('Gather', ['table', 'input_ids'], 'x'),
    madeNode(norm, ['x', 'g1'], 'n'),
    ...['q', 'k', 'v'].map(name => madeNode('MatMul', ['n', name], `${name}x`)),
    madeNode('MatMul', ['qx', 'kx'], 's'),
    madeNode(mask, ['attention_mask'], 'mask'),
    madeNode('Add', ['s', 'mask'], 'masked'),
    madeNode('Softmax', ['masked'], 'p'),
    madeNode('MatMul', ['p', 'vx'], 'c'),
    madeNode('MatMul', ['c', 'o'], 'ox'),
    madeNode('Add', ['ox', 'x'], 'a'),
    madeNode(norm, ['a', 'g2'], 'm'),
    madeNode('MatMul', ['m', 'u'], 'ux'),
    madeNode('Relu', ['ux'], 'e'),
    madeNode('MatMul', ['e', 'd'], 'dx'),
    madeNode('Add', ['dx', 'a'], 'y'),
  ];
  const found = (norm: string, mask: string) =>
    detect(madeModel(tensors, {}, madeGraph(nodes(norm, mask), ['input_ids', 'attention_mask'], ['y'], tensors)));
  for (const norm of ['LayerNormalization', 'SimplifiedLayerNormalization', 'RMSNormalization']) {
    const { layers, unclaimed } = await found(norm, 'Cast');
    assert.deepEqual([layers[0]!.attentionNorm.weight?.name, layers[0]!.outputNorm.weight?.name], ['g1', 'g2']);
    assert.deepEqual(unclaimed, []);
    const { notBert } = await found(norm, 'Trilu');
    assert.equal(say(notBert!), 'Not a BERT: it looks like a decoder for text generation.');
  }
});

test('scales and zero points beside integers are buffers in a model that is no BERT too', async () => {
  const model = madeModel([
    made('m.a.weight', [16, 8], 'int8'),
    made('m.a.weight_scale', [16, 1]),
    made('m.a.weight_zero_point', [16, 1], 'int8'),
    made('m.b.weight', [8, 8]),
    made('m.b.weight_scale', [8]),
  ]);
  const summary = summarize(model, await detect(model));
  // What stands beside floats scales nothing stored, and is a parameter like any other.
  assert.equal(summary.model.parameters, 16 * 8 + 8 * 8 + 8);
});

test('layers that read images or sound through convolutions are no BERT’s', async () => {
  const model = (kernel: number[], norm: string) => {
    const tensors = ['q', 'k', 'v', 'o', 'u', 'd'].map(name => made(name, [4, 4]));
    tensors.push(made('kernel', kernel), made('places', [9, 4]), made('g1', [4]), made('g2', [4]), made('rows', [5], 'int64'));
    const nodes = [
      madeNode('Conv', ['signal', 'kernel'], 'patches'),
      madeNode('Transpose', ['patches'], 'turned'),
      madeNode('Gather', ['places', 'rows'], 'place'),
      madeNode('Add', ['turned', 'place'], 'x'),
      ...['q', 'k', 'v'].map(name => madeNode('MatMul', ['x', name], `${name}x`)),
      madeNode('Softmax', ['s'], 'p'),
      madeNode('MatMul', ['qx', 'kx'], 's'),
      madeNode('MatMul', ['p', 'vx'], 'c'),
      madeNode('MatMul', ['c', 'o'], 'ox'),
      madeNode('Add', ['ox', 'x'], 'a'),
      madeNode(norm, ['a', 'g1'], 'n'),
      madeNode('MatMul', ['n', 'u'], 'ux'),
      madeNode('MatMul', ['ux', 'd'], 'dx'),
      madeNode('Add', ['dx', 'n'], 'f'),
      madeNode(norm, ['f', 'g2'], 'y'),
    ];
    return madeModel(tensors, {}, madeGraph(nodes, ['signal'], ['y'], tensors));
  };
  const { layers, notBert } = await detect(model([4, 3, 2, 2], 'LayerNormalization'));
  assert.deepEqual([layers, say(notBert!)], [[], 'Not a BERT: it looks like a Transformer for images.']);
});
