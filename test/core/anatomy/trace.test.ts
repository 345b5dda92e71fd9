import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { type Anatomy, linearsIn } from '../../../src/core/anatomy/anatomy.ts';
import { detect } from '../../../src/core/anatomy/detect.ts';
import { openFileSource } from '../../../src/core/bytes/file.ts';
import { fileFolder } from '../../../src/core/bytes/folder.ts';
import { openModel } from '../../../src/core/format/open.ts';
import { closeModel } from '../../../src/core/format/stored.ts';
import type { Graph, Node } from '../../../src/core/model/graph.ts';
import type { Model } from '../../../src/core/model/model.ts';
import type { Tensor } from '../../../src/core/tensor/tensor.ts';
import { int64s, made, madeGraph, madeModel, madeNode } from './made-models.ts';

const generated = resolve(import.meta.dirname, '../../../../shared/generated');
const absent = existsSync(generated) ? false : 'skipped: no generated models';
const thirdParty = resolve(import.meta.dirname, '../../../../shared/third-party');
const noOthers = existsSync(thirdParty) ? false : 'skipped: no third-party models';
const graphs = absent ? [] : readdirSync(generated, { recursive: true, encoding: 'utf8' }).filter(path => path.endsWith('.onnx'));

const opened: Model[] = [];
after(async () => void (await Promise.all(opened.map(closeModel))));

async function open(path: string): Promise<Model> {
  const model = await openModel(await openFileSource(path), fileFolder(dirname(path)));
  opened.push(model);
  return model;
}

/** The same graph with every name taken away: v0, v1, … for values, nothing for nodes, no config.json. Names of inputs and outputs stay. */
function anonymous(model: Model): { model: Model; nameOf: ReadonlyMap<string, string> } {
  const graph = model.graph!;
  const nameOf = new Map([...graph.inputs, ...graph.outputs].map(({ name }) => [name, name]));
  const rename = (name: string) => {
    if (name === '') return name;
    if (!nameOf.has(name)) nameOf.set(name, `v${nameOf.size}`);
    return nameOf.get(name)!;
  };
  const nodes = graph.nodes.map(
    (node): Node => ({ ...node, name: '', metadata: {}, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) }),
  );
  const tensors = new Map<string, Tensor>();
  for (const tensor of model.tensors.values()) {
    const { dtype, shape, byteLength, place } = tensor;
    const bytes: Tensor['bytes'] = (...range) => tensor.bytes(...range);
    const name = rename(tensor.name);
    tensors.set(name, { name, dtype, shape, byteLength, bytes, ...(place && { place }) });
  }
  const initializers = graph.initializers.map(rename);
  return { model: { ...model, config: {}, tensors, graph: { ...graph, nodes, initializers } }, nameOf };
}

/** Which tensor each organ of the encoder and the embeddings has, and how it lies. */
const structure = ({ layers, tables, embeddingNorm, embeddingProjection, top }: Anatomy, nameOf = (name: string) => name) => ({
  layers: layers.map(layer => ({
    heads: layer.heads,
    headDim: layer.headDim,
    stored: layer.stored,
    linears: linearsIn(layer).map(({ id, weight, bias, transposed, form }) => [
      id,
      nameOf(weight.name),
      bias && nameOf(bias.name),
      transposed,
      form,
    ]),
    norms: [layer.attentionNorm, layer.outputNorm].map(norm => [norm.weight, norm.bias].map(each => each && nameOf(each.name))),
  })),
  tables: tables.map(({ id, weight, rows, width }) => [id, nameOf(weight.name), rows, width]),
  norm: [embeddingNorm?.weight, embeddingNorm?.bias].map(each => each && nameOf(each.name)),
  projection: embeddingProjection && nameOf(embeddingProjection.weight.name),
  top: top.flatMap(({ linear }) => (linear ? nameOf(linear.weight.name) : [])).sort(),
});

test('with every name taken away a graph has the same anatomy: it is read from its structure', { skip: absent }, async t => {
  assert.ok(graphs.length >= 20);
  for (const path of graphs)
    await t.test(path, async () => {
      const model = await open(join(generated, path));
      const { model: bare, nameOf } = anonymous(model);
      const [named, unnamed] = [await detect(model), await detect(bare)];
      assert.deepEqual(
        structure(unnamed),
        structure(named, name => nameOf.get(name)!),
      );
      assert.equal(unnamed.unclaimed.length, named.unclaimed.length);
      assert.equal(unnamed.copies.size, named.copies.size);
    });
});

/** BERTs that others wrote: whole models of several exporters, optimized and quantized ones too. Fragments of graphs are not among them. */
const others = ['models', 'reference'].flatMap(folder => {
  const path = join(thirdParty, folder);
  return noOthers ? [] : readdirSync(path).flatMap(name => (name.endsWith('.onnx') ? [join(path, name)] : []));
});

test('every BERT of third-party is attributed whole, and has the same anatomy without names', { skip: noOthers }, async () => {
  let count = 0;
  for (const path of others) {
    const model = await open(path).catch(() => undefined);
    const named = model?.graph && (await detect(model));
    if (!named || named.layers.length === 0) continue;
    count++;
    assert.deepEqual(named.unclaimed, [], path);
    assert.ok(
      named.layers.every(layer => layer.heads > 0),
      `${path}: heads`,
    );
    const { model: bare, nameOf } = anonymous(model);
    const unnamed = await detect(bare);
    assert.deepEqual(
      structure(unnamed),
      structure(named, name => nameOf.get(name) ?? name),
      path,
    );
  }
  assert.ok(count >= 34, `${count} BERTs`);
});

test('nodes in any order give the same anatomy', { skip: absent }, async () => {
  const model = await open(join(generated, 'bert-masked-lm/model.torchscript.onnx'));
  const graph: Graph = { ...model.graph!, nodes: [...model.graph!.nodes].reverse() };
  assert.deepEqual(structure(await detect({ ...model, graph })), structure(await detect(model)));
});

test('RoBERTa is told by its counted positions, DistilBERT and ELECTRA by what they lack or have', { skip: absent }, async () => {
  const familyOf = async (path: string) => (await detect({ ...(await open(join(generated, path))), config: {} })).family;
  assert.equal(await familyOf('bert-base/model.torchscript.onnx'), 'bert');
  assert.equal(await familyOf('roberta-base/model.torchscript.onnx'), 'roberta');
  assert.equal(await familyOf('roberta-base/model.dynamo.onnx'), 'roberta');
  assert.equal(await familyOf('distilbert-base/model.dynamo.onnx'), 'distilbert');
  assert.equal(await familyOf('electra-base/model.torchscript.onnx'), 'electra');
  assert.equal(await familyOf('albert-base/model.torchscript.onnx'), 'albert');
  assert.equal(await familyOf('albert-base/model.dynamo.onnx'), 'albert');
});

const width = 4;

/** Layers of two heads, written by hand: no names, biases on either side, weights behind a Transpose, a Gemm for the up matrix. */
function encoder(layers: number, operator = false): { model: Model; names: Set<string> } {
  const tensors: Tensor[] = [made('split', [4], 'int64', int64s(0, 0, 2, width / 2))];
  const nodes: Node[] = [];
  const stored = (name: string, shape: number[]) => {
    tensors.push(made(name, shape));
    return name;
  };
  const add = (...node: Parameters<typeof madeNode>) => {
    nodes.push(madeNode(...node));
    return node[2];
  };
  let x = add('Gather', [stored('t', [9, width]), 'input_ids'], 'x');
  for (let i = 0; i < layers; i++) {
    const parts = ['q', 'k', 'v'].map(part => {
      const turned = add('Transpose', [stored(`${part}w${i}`, [width, width])], `${part}t${i}`);
      const product = add('MatMul', [x, turned], `${part}m${i}`);
      const sum = add(
        'Add',
        part === 'k' ? [stored(`${part}b${i}`, [width]), product] : [product, stored(`${part}b${i}`, [width])],
        `${part}s${i}`,
      );
      return add('Transpose', [add('Reshape', [sum, 'split'], `${part}r${i}`)], `${part}h${i}`, { perm: [0, 2, 1, 3] });
    });
    const context = operator
      ? add(
          'Attention',
          ['q', 'k', 'v'].map(part => `${part}s${i}`),
          `c${i}`,
          { q_num_heads: 2, kv_num_heads: 2 },
        )
      : add('MatMul', [add('Softmax', [add('MatMul', [parts[0]!, parts[1]!], `scores${i}`)], `p${i}`), parts[2]!], `c${i}`);
    const output = add('MatMul', [context, stored(`ow${i}`, [width, width])], `o${i}`);
    const attended = add('LayerNormalization', [add('Add', [x, output], `a${i}`), stored(`g${i}`, [width])], `n${i}`);
    const up = add('Gemm', [attended, stored(`uw${i}`, [6, width]), stored(`ub${i}`, [6])], `u${i}`, { transB: 1 });
    const down = add('MatMul', [add('Relu', [up], `e${i}`), stored(`dw${i}`, [6, width])], `d${i}`);
    x = add('LayerNormalization', [add('Add', [down, attended], `f${i}`), stored(`h${i}`, [width])], `y${i}`);
  }
  return {
    model: madeModel(tensors, {}, madeGraph(nodes, ['input_ids'], [x], tensors)),
    names: new Set(tensors.map(tensor => tensor.name)),
  };
}

test('weights behind a Transpose lie [out, in], those of a MatMul [in, out]; biases stand on either side', async () => {
  const { model } = encoder(2);
  const { layers, unclaimed } = await detect(model);
  assert.equal(layers.length, 2);
  const [, layer] = layers;
  assert.deepEqual([layer!.heads, layer!.headDim], [2, 2]);
  assert.deepEqual(
    linearsIn(layer!).map(({ weight, bias, transposed, out, in: inner }) => [weight.name, bias?.name, transposed, out, inner]),
    [
      ['qw1', 'qb1', false, 4, 4],
      ['kw1', 'kb1', false, 4, 4],
      ['vw1', 'vb1', false, 4, 4],
      ['ow1', undefined, true, 4, 4],
      ['uw1', 'ub1', false, 6, 4],
      ['dw1', undefined, true, 4, 6],
    ],
  );
  assert.deepEqual([layer!.attentionNorm.weight?.name, layer!.outputNorm.weight?.name], ['g1', 'h1']);
  assert.deepEqual(unclaimed, []);
});

test('the Attention operator of opset 23 stands for scores, softmax and sum, and says how many heads there are', async () => {
  const [expected, found] = [await detect(encoder(2).model), await detect(encoder(2, true).model)];
  assert.deepEqual(structure(found), structure(expected));
});

test('layers of zeros share nothing unless they share a tensor', async () => {
  const { model } = encoder(3);
  const tensors = [...model.tensors.values()].map(
    tensor => [tensor.name, tensor.name === 'split' ? tensor : { ...tensor, bytes: zeros }] as const,
  );
  const { layers } = await detect({ ...model, tensors: new Map(tensors) });
  assert.deepEqual(
    layers.map(layer => layer.stored),
    [0, 1, 2],
  );
});

const zeros: Tensor['bytes'] = async (start = 0, end = 0) => new Uint8Array(end - start);

test('a graph of over 100,000 nodes and 50,000 tensors is traced in under 15 seconds', async () => {
  const { model } = encoder(4600);
  assert.ok(model.graph!.nodes.length > 100_000, `${model.graph!.nodes.length} nodes`);
  assert.ok(model.tensors.size > 50_000, `${model.tensors.size} tensors`);
  const start = performance.now();
  const { layers } = await detect(model);
  const seconds = (performance.now() - start) / 1000;
  assert.equal(layers.length, 4600);
  assert.ok(seconds < 15, `${seconds} s`);
});

test('a cancelled detection rejects', async () => {
  await assert.rejects(detect(encoder(1).model, AbortSignal.abort()), { code: 'cancelled' });
});
