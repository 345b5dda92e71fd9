import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { after, test } from 'node:test';
import type { Anatomy } from '../../src/core/anatomy/anatomy.ts';
import { detect } from '../../src/core/anatomy/detect.ts';
import { families } from '../../src/core/anatomy/families/registry.ts';
import { openFileSource } from '../../src/core/bytes/file.ts';
import { fileFolder } from '../../src/core/bytes/folder.ts';
import { openModel } from '../../src/core/format/open.ts';
import { closeModel } from '../../src/core/format/stored.ts';
import type { Model } from '../../src/core/model/model.ts';
import { summarize } from '../../src/core/report/summary.ts';
import type { Summary, TreeNode } from '../../src/core/report/tree.ts';

/** What expected.json says of a model, counted from PyTorch modules by the generator (see its README). */
interface Expected {
  family: string;
  head: string;
  architecture: {
    hidden: number;
    vocab: number;
    max_position: number;
    heads_by_layer: number[];
    stored_layer_of_layer: number[];
    intermediate_by_layer: number[];
    head_dim: number;
  };
  parameters_total: number;
  parameters_embeddings: number;
  parameters_by_layer: number[];
  parameters_by_stored_layer: number[];
  parameters_top: number;
  parameters_other: number;
  parameters_per_head_by_layer: number[];
  parameters_unclaimed?: number;
  unclaimed?: Record<string, unknown> | string[];
  organs: { layers: Record<string, string>[] };
  onnx?: Record<string, { weights: Record<string, Held | Held[]>; parameters_not_in_file: string[] }>;
}
interface Held {
  tensor: string;
  transposed?: boolean;
  /** Of one that holds several: the first column, or element of a bias. */
  from_column?: number;
  from?: number;
}

const generated = resolve(import.meta.dirname, '../../../shared/generated');
const absent = existsSync(generated) ? false : 'skipped: no generated models';
const folders = absent ? [] : readdirSync(generated).filter(name => existsSync(join(generated, name, 'expected.json')));
const expectedOf = (folder: string): Expected => JSON.parse(readFileSync(join(generated, folder, 'expected.json'), 'utf8'));

const files = folders.flatMap(folder =>
  readdirSync(join(generated, folder))
    .filter(name => /\.(onnx|safetensors|index\.json)$/.test(name) && !/^model-\d+-of/.test(name))
    .map(name => ({ folder, name })),
);

const opened: Model[] = [];
after(async () => void (await Promise.all(opened.map(closeModel))));

async function inspect(path: string): Promise<{ model: Model; anatomy: Anatomy; summary: Summary }> {
  const model = await openModel(await openFileSource(path), fileFolder(dirname(path)));
  opened.push(model);
  const anatomy = await detect(model);
  return { model, anatomy, summary: summarize(model, anatomy) };
}

const find = ({ tree }: Summary, id: string): TreeNode | undefined => tree.children!.find(row => row.id === id);
const parameters = (row: TreeNode | undefined): number => row?.parameters ?? 0;

function checkSums(row: TreeNode): void {
  if (!row.children) return;
  const sum = (key: 'parameters' | 'byteLength') => row.children!.reduce((total, child) => total + child[key], 0);
  assert.equal(sum('parameters'), row.parameters, `${row.id}: children's parameters`);
  assert.equal(sum('byteLength'), row.byteLength, `${row.id}: children's bytes`);
  row.children.forEach(checkSums);
}

function* rowsOf(row: TreeNode): Generator<TreeNode> {
  yield row;
  for (const child of row.children ?? []) yield* rowsOf(child);
}

function checkTree({ tree, file, model }: Summary): void {
  checkSums(tree);
  assert.equal(tree.byteLength, file.byteLength, 'the rows sum to the length of the files');
  assert.equal(
    file.parts.reduce((sum, part) => sum + part.byteLength, 0),
    file.byteLength,
  );
  const ids = [...rowsOf(tree)].map(row => row.id);
  assert.equal(new Set(ids).size, ids.length, 'ids are unique');
  assert.ok(model.byteLength <= file.byteLength);
  assert.ok([...rowsOf(tree)].every(row => row.byteLength >= 0 && row.parameters >= 0));
}

test('the registry holds each family once', () => {
  assert.equal(
    new Set(families.flatMap(family => [family.id, ...family.alike])).size,
    families.flatMap(family => [family.id, ...family.alike]).length,
  );
});

test('every generated model has the anatomy and the exact counts of its PyTorch modules', { skip: absent }, async t => {
  for (const { folder, name } of files)
    await t.test(`${folder}/${name}`, async () => {
      const expected = expectedOf(folder);
      const { model, anatomy, summary } = await inspect(join(generated, folder, name));
      const { architecture } = expected;
      checkTree(summary);
      assert.equal(summary.model.family, expected.family);
      assert.equal(summary.model.task, expected.head);
      assert.equal(summary.model.hidden, architecture.hidden);
      assert.equal(summary.model.vocabulary, architecture.vocab);
      assert.equal(summary.model.positions, architecture.max_position);
      assert.equal(summary.model.headDim, architecture.head_dim);
      assert.deepEqual(summary.model.heads, architecture.heads_by_layer);
      assert.deepEqual(summary.model.intermediate, architecture.intermediate_by_layer);
      assert.equal(summary.model.parameters, expected.parameters_total);
      assert.equal(parameters(find(summary, 'embeddings')), expected.parameters_embeddings);
      assert.equal(parameters(find(summary, 'pooler')) + parameters(find(summary, 'task')), expected.parameters_top);
      assert.equal(parameters(find(summary, 'other')), expected.parameters_other + (expected.parameters_unclaimed ?? 0));
      checkLayers(summary, anatomy, expected);
      if (expected.unclaimed)
        assert.deepEqual(anatomy.unclaimed.map(tensor => tensor.name).sort(), namesOf(expected.unclaimed).sort());
      if (model.format === 'onnx' && expected.onnx?.[name]) await checkWeights(folder, name, anatomy, expected);
    });
});

const namesOf = (unclaimed: NonNullable<Expected['unclaimed']>): string[] =>
  Array.isArray(unclaimed) ? [...unclaimed] : Object.keys(unclaimed);

function checkLayers(summary: Summary, anatomy: Anatomy, expected: Expected): void {
  const layers = find(summary, 'encoder')!.children!;
  const stored = layers.filter((_, index) => anatomy.layers[index]!.stored === index);
  assert.deepEqual(stored.map(parameters), expected.parameters_by_stored_layer);
  const { stored_layer_of_layer: sharing } = expected.architecture;
  const firstOf = sharing.map(group => sharing.indexOf(group));
  assert.deepEqual(
    anatomy.layers.map(layer => layer.stored),
    firstOf,
  );
  assert.deepEqual(
    layers.map((_, index) => parameters(layers[anatomy.layers[index]!.stored])),
    expected.parameters_by_layer,
  );
  const perHead = anatomy.layers.map(layer => summary.heads.find(head => head.layer === layer.index)?.parameters);
  assert.deepEqual(perHead, expected.parameters_per_head_by_layer);
  assert.equal(
    summary.heads.length,
    expected.architecture.heads_by_layer.reduce((sum, heads) => sum + heads, 0),
  );
}

/** Every tensor of an anatomy by the id of its row, copies in shared layers under their first's. */
function tensorsById({ layers, tables, embeddingNorm, embeddingProjection, top }: Anatomy): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const add = (id: string, tensor: { name: string } | undefined) => {
    if (tensor) found.set(id, [...new Set([...(found.get(id) ?? []), tensor.name])]);
  };
  const addBoth = (id: string, organ: { weight?: { name: string }; bias?: { name: string } }) => {
    add(`${id}.weight`, organ.weight);
    add(`${id}.bias`, organ.bias);
  };
  for (const table of tables) add(`${table.id}.weight`, table.weight);
  if (embeddingNorm) addBoth(embeddingNorm.id, embeddingNorm);
  if (embeddingProjection) addBoth(embeddingProjection.id, embeddingProjection);
  for (const layer of layers) {
    const first = layers[layer.stored]!;
    for (const key of ['query', 'key', 'value', 'output', 'attentionNorm', 'up', 'down', 'outputNorm'] as const)
      addBoth(first[key].id, layer[key]);
  }
  for (const { id, linear, norm, tensor } of top) {
    if (linear) addBoth(id, linear);
    if (norm) addBoth(id, norm);
    add(`${id}.bias`, tensor);
  }
  return found;
}

/** "qkv_weight[:, 40:]" for a block of columns, "qkv_bias[40:]" for one of elements. */
const placeOf = ({ tensor, from_column: column, from }: Held): string =>
  column !== undefined ? `${tensor}[:, ${column}:]` : from !== undefined ? `${tensor}[${from}:]` : tensor;

/** The same parameter of the checkpoint and of the graph stand at the same place of the anatomy, and the graph's is the initializer that holds its values. */
async function checkWeights(folder: string, name: string, anatomy: Anatomy, expected: Expected): Promise<void> {
  const checkpoint = join(generated, folder, 'model.safetensors');
  const { weights, parameters_not_in_file: absentHere } = expected.onnx![name]!;
  const inGraph = tensorsById(anatomy);
  const idOf = new Map<string, string>();
  if (existsSync(checkpoint)) {
    const { anatomy: reference } = await inspect(checkpoint);
    for (const [id, names] of tensorsById(reference)) for (const each of names) if (!idOf.has(each)) idOf.set(each, id);
  } else for (const parameter of Object.keys(weights)) idOf.set(parameter, parameter);
  let compared = 0;
  for (const [parameter, held] of Object.entries(weights)) {
    if (absentHere.includes(parameter)) continue;
    const id = idOf.get(parameter);
    assert.ok(id, `${parameter} has a place in the checkpoint's anatomy`);
    const places = (Array.isArray(held) ? held : [held]).map(placeOf);
    const found = (inGraph.get(id) ?? []).map(each => each.replace(/(?<=\[(:, )?\d+):\d+\]$/, ':]'));
    for (const [copy, original] of anatomy.copies) if (found.includes(original)) found.push(copy);
    assert.ok(found.length > 0, `${parameter} has a row`);
    assert.deepEqual([...new Set(found)].sort(), [...new Set(places)].sort(), parameter);
    for (const { tensor, transposed } of Array.isArray(held) ? held : [held]) {
      const linear = anatomy.linears.find(each => each.weight.name === tensor && each.form === 'dense');
      if (linear && transposed !== undefined)
        assert.equal(linear.transposed, transposed, `${parameter} lies ${transposed ? '[in, out]' : '[out, in]'}`);
    }
    compared++;
  }
  assert.equal(compared, Object.keys(weights).length - Object.keys(weights).filter(each => absentHere.includes(each)).length);
}
