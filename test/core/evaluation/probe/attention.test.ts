import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { HeadroomError } from '../../../../src/core/errors.ts';
import { softmaxOfProducts } from '../../../../src/core/evaluation/probe/softmax-of-products.ts';
import type { AttentionMaps } from '../../../../src/core/evaluation/report.ts';
import type { Graph, Node } from '../../../../src/core/model/graph.ts';
import { newNode } from '../../../../src/core/model/graph-edit.ts';
import type { Model } from '../../../../src/core/model/model.ts';
import { attention } from '../../../../src/core/session/attention.ts';
import { changed } from './changed-model.ts';

const generated = resolve(import.meta.dirname, '../../../../../shared/generated');
const skip = existsSync(generated) ? false : 'skipped: no generated models';
const path = (folder: string, form: string) => join(generated, folder, `model.${form}`);
const text = 'the small model keeps every word';

function furthest(a: AttentionMaps, b: AttentionMaps): number {
  assert.deepEqual([a.tokens, a.heads.length], [b.tokens, b.heads.length]);
  const all = ({ heads }: AttentionMaps) => heads.flatMap(({ weights_TT }) => weights_TT);
  const other = all(b);
  return Math.max(...all(a).map((weight, index) => Math.abs(weight - other[index]!)));
}

function assertRows({ tokens: { length }, heads }: AttentionMaps): void {
  for (const [index, { head, weights_TT }] of heads.entries()) {
    assert.deepEqual([head, weights_TT.length], [index, length * length]);
    for (let t = 0; t < length; t++) {
      const row = weights_TT.slice(t * length, (t + 1) * length);
      assert.ok(row.every(weight => weight >= 0));
      assert.ok(Math.abs(row.reduce((sum, weight) => sum + weight, 0) - 1) < 1e-12);
    }
  }
}

test('tokens and attention of a layer are those of transformers within 1e-5', { skip }, async () => {
  const known = JSON.parse(readFileSync(join(import.meta.dirname, 'attention.json'), 'utf8'));
  for (const form of ['torchscript.onnx', 'ort-fused.onnx', 'safetensors']) {
    const maps = await attention(path('bert-base', form), { text: known.text, layer: known.layer });
    const heads = (known.heads as number[][]).map((weights_TT, head) => ({ head, weights_TT }));
    assert.ok(furthest(maps, { layer: 1, tokens: known.tokens, heads }) < 1e-5, form);
    assertRows(maps);
  }
});

test('every form of the same weights shows the same attention within 1e-5, in every family', { skip }, async t => {
  for (const [folder, forms] of [
    ['bert-base', ['sdpa.onnx', 'dynamo.onnx']],
    ['roberta-base', ['ort-fused.onnx', 'dynamo.onnx', 'safetensors']],
    ['distilbert-base', ['ort-fused.onnx', 'safetensors']],
    ['electra-base', ['ort-fused.onnx', 'safetensors']],
    ['albert-base', ['dynamo.onnx', 'safetensors']],
  ] as const)
    for (const layer of [0, 1])
      await t.test(`${folder}, layer ${layer}`, async () => {
        const eager = await attention(path(folder, 'torchscript.onnx'), { text, layer });
        assertRows(eager);
        for (const form of forms) {
          const other = await attention(path(folder, form), { text, layer });
          assertRows(other);
          assert.ok(furthest(other, eager) < 1e-5, form);
        }
      });
});

type GraphModel = Model & { readonly graph: Graph };

/** The graph with each Attention operator of onnxruntime replaced by nodes that compute the same. */
function unfused(model: GraphModel, made: (node: Node, index: number) => readonly Node[], opset?: number): GraphModel {
  const { graph } = model;
  const nodes = graph.nodes.flatMap((node, index) => (node.opType === 'Attention' ? made(node, index) : [node]));
  const opsets = opset === undefined ? graph.opsets : new Map([...graph.opsets, ['', opset] as const]);
  return { ...model, graph: { ...graph, nodes, opsets, irVersion: opset === undefined ? graph.irVersion : 11 } };
}

/** Names of query, key and value out of the operator's matrix; `bias` or not. */
function projections(node: Node, index: number, withBias: boolean): { nodes: Node[]; parts: string[] } {
  const [input, weight, bias] = node.inputs as [string, string, string];
  const parts = ['q', 'k', 'v'].map(part => `${part}${index}`);
  const [product, sum] = [`product${index}`, `sum${index}`];
  const nodes = [newNode('MatMul', [input, weight], [product])];
  if (withBias) nodes.push(newNode('Add', [product, bias], [sum]));
  const attributes = { axis: { type: 'int', value: -1 }, num_outputs: { type: 'int', value: 3 } } as const;
  const { axis, num_outputs } = attributes;
  nodes.push(newNode('Split', [withBias ? sum : product], parts, { attributes: withBias ? { axis, num_outputs } : { axis } }));
  return { nodes, parts };
}

test('attention that is given query and key, by onnxruntime’s operator or ONNX’s own, is that of the whole one within 1e-5', {
  skip,
}, async t => {
  const fused = path('bert-base', 'ort-fused.onnx');
  const int = (value: number) => ({ type: 'int', value }) as const;
  const whole = await attention(fused, { text, layer: 1 });
  const forms: Record<string, (model: GraphModel) => GraphModel> = {
    MultiHeadAttention: model =>
      unfused(model, (node, index) => {
        const { nodes, parts } = projections(node, index, false);
        const inputs = [...parts, node.inputs[2]!];
        const more = { domain: 'com.microsoft', attributes: { num_heads: int(4) } };
        return [...nodes, newNode('MultiHeadAttention', inputs, node.outputs, more)];
      }),
    Attention: model =>
      unfused(
        model,
        (node, index) => {
          const { nodes, parts } = projections(node, index, true);
          const attributes = { q_num_heads: int(4), kv_num_heads: int(4) };
          return [...nodes, newNode('Attention', parts, node.outputs, { attributes })];
        },
        23,
      ),
  };
  for (const [name, change] of Object.entries(forms))
    await t.test(name, async () => {
      const other = await changed(fused, name, change);
      const maps = await attention(other, { text, layer: 1 });
      assertRows(maps);
      assert.ok(furthest(maps, whole) < 1e-5);
    });
});

test('a layer that lost heads shows those it has left', { skip }, async () => {
  for (const [layer, heads] of [4, 2, 1, 3].entries()) {
    const maps = await attention(path('pruned-heads-bert', 'torchscript.onnx'), { text, layer });
    assert.equal(maps.heads.length, heads);
    assertRows(maps);
  }
});

test('masks are added before the softmax, whatever they are broadcast from; false hides', () => {
  // Two heads of one number, three tokens.
  const values = (shape: number[], ...data: number[]) => ({ shape, data: Float32Array.from(data) });
  const [query, key] = [values([1, 3, 2], 1, 0, 2, 0, 3, 1), values([1, 3, 2], 1, 1, 0, 1, -1, 2)];
  const run = (mask: ReturnType<typeof values>) =>
    softmaxOfProducts(
      new Map(Object.entries({ query, key, mask })),
      { kind: 'products', query: 'query', key: 'key', mask: 'mask', heads: 2, scale: 0.5 },
      3,
    )!;
  const softmax = (...scores: number[]) => {
    const all = scores.map(Math.exp);
    return all.map(each => each / all.reduce((a, b) => a + b));
  };
  const close = (a: readonly number[], b: readonly number[]) =>
    assert.ok(
      a.every((each, index) => Math.abs(each - b[index]!) < 1e-12),
      `${a} and ${b}`,
    );
  const hidden = run(values([1, 1, 1, 3], 1, 0, 1));
  close(hidden[0]!.slice(0, 3), softmax(0.5, Number.NEGATIVE_INFINITY, -0.5));
  close(hidden[1]!.slice(6), softmax(0.5, Number.NEGATIVE_INFINITY, 1));
  const added = run(values([1, 2, 1, 3], 0.25, 0, 0, 0, -2, 0));
  close(added[0]!.slice(3, 6), softmax(1.25, 0, -1));
  close(added[1]!.slice(6), softmax(0.5, -1.5, 1));
  const byRow = run(values([3, 3], 0, 0, 0, 0, 3, 0, 0, 0, 0.5));
  close(byRow[0]!.slice(3, 6), softmax(1, 3, -1));
  close(byRow[1]!.slice(6), softmax(0.5, 0.5, 1.5));
});

test('a layer that is not there, and a model without layers, are refused with a reason', { skip }, async () => {
  const failsWith = (code: string, words: RegExp) => (error: unknown) =>
    error instanceof HeadroomError && error.code === code && words.test(error.message);
  const bert = path('bert-base', 'torchscript.onnx');
  for (const layer of [3, -1, 0.5]) await assert.rejects(attention(bert, { text, layer }), failsWith('usage', /no layer/));
  const gelu = resolve(generated, '../third-party/models/onnxruntime-onnxruntime-qnn__gelu.onnx');
  if (existsSync(gelu)) await assert.rejects(attention(gelu, { text, layer: 0 }), failsWith('usage', /the model has 0/));
  const turned = await changed(path('bert-base', 'ort-fused.onnx'), 'turned', model =>
    unfused(model, node => [
      { ...node, attributes: new Map([...node.attributes, ['do_rotary', { type: 'int', value: 1 }] as const]) },
    ]),
  );
  await assert.rejects(attention(turned, { text, layer: 0 }), failsWith('unsupported', /operator Attention does in layer 0/));
});

test('query and key are found side by side, by head, and packed with each other or the value: one answer', () => {
  // 4 tokens, 2 heads of 3 numbers: number(part, token, head, place).
  const [tokens, heads, width] = [4, 2, 3];
  const number = (part: number, t: number, h: number, d: number) => Math.sin(7 * part + 5 * t + 3 * h + d);
  const made = (shape: number[], at: (indices: number[]) => number) => ({
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, index) => {
      const indices = shape.map((size, axis) => Math.floor(index / shape.slice(axis + 1).reduce((a, b) => a * b, 1)) % size);
      return at(indices);
    }),
  });
  const flat = (part: number) =>
    made([1, tokens, heads * width], ([, t, c]) => number(part, t!, Math.floor(c! / width), c! % width));
  const byHead = (part: number) => made([1, heads, tokens, width], ([, h, t, d]) => number(part, t!, h!, d!));
  const packed = (first: number, parts: number) =>
    made([1, tokens, heads, parts, width], ([, t, h, part, d]) => number(first + part!, t!, h!, d!));
  const whole = made([1, tokens, 3 * heads * width], ([, t, c]) => {
    const place = c! % (heads * width);
    return number(Math.floor(c! / (heads * width)), t!, Math.floor(place / width), place % width);
  });
  const run = (values: Record<string, ReturnType<typeof made>>, more: { key?: string; keyColumn?: number }) =>
    softmaxOfProducts(new Map(Object.entries(values)), { kind: 'products', query: 'query', heads, ...more }, tokens)!;
  const expected = run({ query: flat(0), key: flat(1) }, { key: 'key' });
  let sum = 0;
  for (let d = 0; d < width; d++) sum += number(0, 2, 1, d) * (number(1, 3, 1, d) - number(1, 0, 1, d));
  const ratio = expected[1]![2 * tokens + 3]! / expected[1]![2 * tokens]!;
  assert.ok(Math.abs(Math.log(ratio) - sum / Math.sqrt(width)) < 1e-6);
  assert.deepEqual(run({ query: byHead(0), key: byHead(1) }, { key: 'key' }), expected);
  assert.deepEqual(run({ query: packed(0, 3) }, {}), expected);
  assert.deepEqual(run({ query: flat(0), key: packed(1, 2) }, { key: 'key' }), expected);
  assert.deepEqual(run({ query: whole }, { keyColumn: heads * width }), expected);
});
