import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { detect } from '../../../src/core/anatomy/detect.ts';
import { openFileSource } from '../../../src/core/bytes/file.ts';
import { fileFolder } from '../../../src/core/bytes/folder.ts';
import { openModel } from '../../../src/core/format/open.ts';
import { closeModel } from '../../../src/core/format/stored.ts';
import type { Model } from '../../../src/core/model/model.ts';
import { organsById } from '../../../src/core/report/organs.ts';
import { summarize } from '../../../src/core/report/summary.ts';
import type { Summary, TreeNode } from '../../../src/core/report/tree.ts';
import { bertTensors, made, madeGraph, madeModel } from '../anatomy/made-models.ts';

const shared = resolve(import.meta.dirname, '../../../../shared');
const noModels = existsSync(join(shared, 'models')) ? false : 'skipped: no trained models';
const noFixtures = existsSync(join(shared, 'generated')) ? false : 'skipped: no generated models';

const opened: Model[] = [];
const temporary = mkdtempSync(join(tmpdir(), 'headroom-summary-'));
after(async () => {
  await Promise.all(opened.map(closeModel));
  rmSync(temporary, { recursive: true });
});

async function inspect(path: string): Promise<Summary> {
  const model = await openModel(await openFileSource(path), fileFolder(dirname(path)));
  opened.push(model);
  return summarize(model, await detect(model));
}

function* rowsOf(row: TreeNode): Generator<TreeNode> {
  yield row;
  for (const child of row.children ?? []) yield* rowsOf(child);
}
const row = ({ tree }: Summary, id: string): TreeNode => {
  const found = [...rowsOf(tree)].find(each => each.id === id);
  assert.ok(found, `a row ${id}`);
  return found;
};

test('MiniLM has 22,713,216 parameters with its pooler, and its two ONNX exports 147,840 fewer', { skip: noModels }, async () => {
  const folder = join(shared, 'models/minilm');
  const checkpoint = await inspect(join(folder, 'model.safetensors'));
  assert.equal(checkpoint.model.parameters, 22_713_216);
  assert.deepEqual(checkpoint.model.heads, Array(6).fill(12));
  execFileSync(process.execPath, [join(folder, 'make-onnx.mjs'), temporary]);
  for (const exporter of ['torchscript', 'dynamo']) {
    const { model, tree, file } = await inspect(join(temporary, `minilm.${exporter}.onnx`));
    assert.equal(model.parameters, 22_713_216 - 147_840);
    assert.deepEqual([model.family, model.hidden, model.layers, model.vocabulary, model.positions], ['bert', 384, 6, 30522, 512]);
    assert.deepEqual([model.heads, model.headDim, model.intermediate], [Array(6).fill(12), 32, Array(6).fill(1536)]);
    assert.equal(
      tree.children!.find(each => each.id === 'other'),
      undefined,
    );
    assert.equal(tree.byteLength, file.byteLength);
  }
});

test('fine-tuned MiniLM and the sample are classifiers, whole', { skip: noModels }, async () => {
  const facts = async (path: string) => {
    const { model } = await inspect(join(shared, 'models', path));
    return [model.task, model.parameters, model.layers, model.hidden, model.vocabulary, model.dtypes[0]!.dtype];
  };
  assert.deepEqual(await facts('minilm-sst2/model.safetensors'), ['sequence-classification', 16_215_938, 6, 384, 13600, 'fp16']);
  const sample = ['sequence-classification', 1_594_754, 4, 128, 6000, 'fp32'];
  assert.deepEqual(await facts('sample-sst2/model.safetensors'), sample);
  assert.deepEqual(await facts('sample-sst2/model.onnx'), sample);
});

test('a table stored twice is counted once; its second copy has a row with its bytes and no parameters', {
  skip: noFixtures,
}, async () => {
  for (const name of ['model.twice.onnx', 'model.twice.safetensors']) {
    const summary = await inspect(join(shared, 'generated/tied-mlm', name));
    const copy = row(summary, 'cls.predictions.decoder.weight');
    assert.deepEqual(
      [copy.parameters, copy.byteLength, copy.title],
      [0, 201 * 32 * 4, 'Second copy of embeddings.word_embeddings.weight'],
    );
    const once = [...rowsOf(summary.tree)]
      .filter(each => each.id.startsWith('file.'))
      .reduce((sum, each) => sum + each.byteLength, 0);
    assert.ok(summary.model.byteLength + copy.byteLength + once <= summary.file.byteLength);
  }
  const once = await inspect(join(shared, 'generated/tied-mlm/model.once.onnx'));
  const shown = row(once, 'cls.predictions.decoder.weight');
  assert.deepEqual([shown.parameters, shown.byteLength, shown.title], [0, 0, 'Shared with embeddings.word_embeddings.weight']);
});

test('layers that share are shown with nothing of their own; copies they store keep their bytes', {
  skip: noFixtures,
}, async () => {
  const stored = await inspect(join(shared, 'generated/albert-base/model.torchscript.onnx'));
  assert.deepEqual(
    [row(stored, 'encoder.layer.3').title, row(stored, 'encoder.layer.3').byteLength],
    ['Layer 3, shared with Layer 0', 0],
  );
  const copied = await inspect(join(shared, 'generated/albert-base/model.dynamo.onnx'));
  const layer = row(copied, 'encoder.layer.3');
  const matrices = 4 * 36 * 36 + 2 * 36 * 80;
  assert.deepEqual([layer.parameters, layer.byteLength], [0, 4 * matrices]);
  assert.equal(copied.model.byteLength, copied.file.byteLength - 3 * 4 * matrices - fileBytes(copied));
});

const fileBytes = ({ tree }: Summary): number =>
  tree.children!.filter(each => each.id.startsWith('file.')).reduce((sum, each) => sum + each.byteLength, 0);

test('a matrix in int8 counts the parameters it stands for, and the bytes it takes with its scale', {
  skip: noFixtures,
}, async () => {
  const plain = await inspect(join(shared, 'generated/bert-base/model.torchscript.onnx'));
  const dynamic = await inspect(join(shared, 'generated/bert-base/model.int8.onnx'));
  const id = 'encoder.layer.1.attention.self.query';
  assert.equal(row(dynamic, id).parameters, row(plain, id).parameters);
  assert.deepEqual(
    [row(dynamic, id).dtype, row(dynamic, `${id}.weight`).byteLength, row(dynamic, `${id}.weight_scale`).byteLength],
    ['int8', 1600, 4],
  );
  assert.deepEqual(
    dynamic.heads.map(head => head.parameters),
    plain.heads.map(head => head.parameters),
  );
  // 10 rows of query, key and value of 40 bytes with a bias of 4, and 10 columns of the output of 40 bytes.
  assert.equal(dynamic.heads[0]!.byteLength, 10 * (3 * (40 + 4) + 40));
});

test('every organ that can be compared has a row with its id', { skip: noFixtures }, async () => {
  for (const path of [
    'bert-pretraining/model.torchscript.onnx',
    'albert-base/model.dynamo.onnx',
    'electra-base/model.safetensors',
    'bert-base/model.ort-fused.onnx',
  ]) {
    const file = join(shared, 'generated', path);
    const model = await openModel(await openFileSource(file), fileFolder(dirname(file)));
    opened.push(model);
    const anatomy = await detect(model);
    const rows = new Map([...rowsOf(summarize(model, anatomy).tree)].map(each => [each.id, each]));
    const organs = organsById(anatomy);
    assert.ok(organs.size > 0);
    for (const [id, organ] of organs) {
      assert.ok(rows.has(id), `${path}: ${id}`);
      assert.ok(
        rows.get(id)!.children!.some(child => child.tensors?.[0] === organ.weight.name || child.title.startsWith('Shared with')),
        id,
      );
    }
  }
});

test('tensor names are free text: those that look like ids of rows stay apart', async () => {
  const names = ['model', 'other', 'encoder.layer.0', 'other/a', 'a', '', '../x', '<script>'];
  const model = madeModel(names.map(name => made(name, [2, 3])));
  const { tree } = summarize(model, await detect(model));
  const ids = [...rowsOf(tree)].map(each => each.id);
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(tree.parameters, 6 * names.length);
});

test('integers written as varints share what the file holds for them: no row is negative, and the sum is exact', async () => {
  const tensors = [made('w', [10, 10]), made('indices', [1000], 'int64'), made('more', [100], 'int64')];
  const model = { ...madeModel(tensors, {}, madeGraph([], [], [], tensors)), byteLength: 400 + 700 + 50 };
  const parts = [
    { kind: 'tensors' as const, file: 'm', byteLength: 400 + 700 },
    { kind: 'graph' as const, file: 'm', byteLength: 50 },
  ];
  const summary = summarize({ ...model, parts }, await detect(model));
  assert.equal(summary.tree.byteLength, 1150);
  assert.equal(row(summary, 'other/w').byteLength, 400);
  assert.equal(row(summary, 'buffers/indices').byteLength, Math.floor((8000 * 700) / 8800));
});

test('two tensors in one place of the file are one', async () => {
  const place = { file: 'model.safetensors', offset: 64 };
  const [a, b] = ['a', 'b'].map(name => ({ ...made(name, [8, 8]), place }));
  const model = { ...madeModel([a!]), tensors: new Map([a!, b!].map(tensor => [tensor.name, tensor])) };
  const summary = summarize(model, await detect(model));
  assert.deepEqual([summary.model.parameters, summary.tree.byteLength], [64, 256]);
  assert.equal(row(summary, 'other/b').title, 'Shared with other/a');
});

test('the summary is plain data: it survives JSON', async () => {
  const model = madeModel(bertTensors({ vocabulary: 50, hidden: 8, layers: 2, forward: 16 }), { num_attention_heads: 2 });
  const summary = summarize(model, await detect(model));
  assert.deepEqual(JSON.parse(JSON.stringify(summary)), structuredClone(summary));
});
