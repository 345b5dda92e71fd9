import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linearsIn } from '../../../src/core/anatomy/anatomy.ts';
import { detect } from '../../../src/core/anatomy/detect.ts';
import { flowOf } from '../../../src/core/anatomy/flow.ts';
import { productOf } from '../../../src/core/anatomy/product.ts';
import { tableAt } from '../../../src/core/anatomy/table.ts';
import { wire } from '../../../src/core/anatomy/wiring.ts';
import { say } from '../../../src/core/errors.ts';
import { floats, int64s } from './made-models.ts';
import { attend, fused, isWhole, microsoft, Writer, width } from './writer.ts';

test('onnxruntime’s Attention holds query, key and value as columns of one matrix, with sizes of their own; biases of fused operators are the linears’', async () => {
  const numbers = Float32Array.from({ length: width * 10 }, (_, index) => index);
  const { model } = fused((writer, x) =>
    writer.add('Attention', [x, writer.stored([width, 10], 'fp32', floats(...numbers)), writer.stored([10])], {
      ...microsoft,
      num_heads: 1,
      qkv_hidden_sizes: [2, 2, 6],
    }),
  );
  const anatomy = await detect(model);
  const [layer] = anatomy.layers;
  assert.deepEqual([layer!.heads, layer!.headDim], [1, 2]);
  assert.deepEqual(
    [layer!.query, layer!.key, layer!.value].map(({ out, in: inner, transposed }) => [out, inner, transposed]),
    [
      [2, width, true],
      [2, width, true],
      [6, width, true],
    ],
  );
  const bytes = await layer!.key.weight.bytes();
  assert.deepEqual([...new Float32Array(bytes.slice().buffer)], [2, 3, 12, 13, 22, 23, 32, 33]);
  assert.deepEqual(await layer!.key.weight.bytes(6, 20), bytes.slice(6, 20));
  assert.ok(linearsIn(layer!).every(linear => linear.bias));
  assert.equal(anatomy.tables.length, 3);
  isWhole(model, anatomy);
});

test('MultiHeadAttention is given three products; their biases lie in one vector beside them', async () => {
  const { model } = fused((writer, x) => {
    const products = [1, 2, 3].map(() => writer.add('MatMul', [x, writer.stored([width, width])]));
    return writer.add('MultiHeadAttention', [...products, writer.stored([3 * width])], { ...microsoft, num_heads: 2 });
  });
  const anatomy = await detect(model);
  assert.deepEqual([anatomy.layers[0]!.heads, anatomy.layers[0]!.extra?.length], [2, 1]);
  isWhole(model, anatomy);
});

test('QAttention’s integers are query, key and value by thirds of its columns, scaled as one', async () => {
  const { model } = fused((writer, x) => {
    const [weight, scale, zero] = [writer.stored([width, 12], 'int8'), writer.stored([1]), writer.stored([1], 'int8')];
    return writer.add('QAttention', [x, weight, writer.stored([12]), writer.stored([]), scale, '', '', zero], {
      ...microsoft,
      num_heads: 2,
    });
  });
  const { layers, unclaimed } = await detect(model);
  const { query } = layers[0]!;
  assert.deepEqual([query.form, query.out, query.weight.byteLength, query.weight.dtype], ['quantized', 4, 16, 'int8']);
  assert.ok(query.within?.scale);
  assert.deepEqual(unclaimed, []);
});

test('attention that is given tokens of before, or looks back only, is no BERT’s', async () => {
  for (const attributes of [{ unidirectional: 1 }, {}]) {
    const { model } = fused((writer, x) => {
      const past = 'unidirectional' in attributes ? [] : ['', 'past'];
      const inputs = [x, writer.stored([width, 12]), writer.stored([12]), ...past];
      return writer.add('Attention', inputs, { ...microsoft, num_heads: 2, ...attributes });
    });
    const { layers, notBert } = await detect(model);
    assert.deepEqual([layers.length, notBert !== undefined], [0, true]);
  }
});

test('Keras’ projections by Einsum are matrices of as many heads as their kernels have', async () => {
  const { model } = fused((writer, x) => {
    const parts = [1, 2, 3].map(() => {
      const product = writer.add('Einsum', [x, writer.stored([width, 2, 2])], { equation: 'abc,cde->abde' });
      return writer.add('Add', [product, writer.stored([2, 2])]);
    });
    return attend(writer, parts[0]!, parts[1]!, parts[2]!);
  });
  const { layers } = await detect(model);
  const [layer] = layers;
  assert.deepEqual([layer!.heads, layer!.headDim, layer!.query.out, layer!.query.in], [2, 2, 4, 4]);
});

/** Norms first, one matrix for query, key and value, one for up and gate: ModernBERT's layer. */
test('a gated layer that normalizes first has query, key, value, up and gate as parts of two matrices', async () => {
  const writer = new Writer();
  const norm = (value: string) => writer.add('LayerNormalization', [value, writer.stored([width])]);
  let x = norm(writer.add('Gather', [writer.stored([9, width]), 'input_ids']));
  const shape = writer.stored([5], 'int64', int64s(0, 0, 3, 2, 2));
  for (let layer = 0; layer < 2; layer++) {
    const product = writer.add('MatMul', [layer === 0 ? x : norm(x), writer.stored([width, 3 * width])]);
    const heads = writer.add('Transpose', [writer.add('Reshape', [product, shape])], { perm: [0, 3, 2, 1, 4] });
    const parts = [0, 1, 2].map(part => writer.add('Gather', [heads, writer.stored([], 'int64', int64s(part))], { axis: 2 })) as [
      string,
      string,
      string,
    ];
    const attended = writer.add('Add', [x, writer.add('MatMul', [attend(writer, ...parts), writer.stored([width, width])])]);
    const both = writer.add('MatMul', [norm(attended), writer.stored([width, 12])]);
    const up = writer.add('Split', [both], { axis: -1 }, 2);
    const gated = writer.add('Mul', [writer.add('Gelu', [up]), up.replace(/0$/, '1')]);
    x = writer.add('Add', [attended, writer.add('MatMul', [gated, writer.stored([6, width])])]);
  }
  const model = writer.model(norm(x));
  const anatomy = await detect(model);
  assert.equal(anatomy.family, 'modernbert');
  const [first, second] = anatomy.layers;
  assert.deepEqual([first!.heads, first!.headDim, first!.up.out, first!.gate!.out], [2, 2, 6, 6]);
  assert.equal(first!.attentionNorm.weight, undefined, 'the first layer reads what the embeddings have normalized');
  assert.ok(second!.attentionNorm.weight);
  assert.deepEqual(
    linearsIn(second!).map(({ id, out }) => [id.replace('encoder.layer.1.', ''), out]),
    [
      ['attention.self.query_key_value', 12],
      ['attention.output.dense', 4],
      ['intermediate.up_gate', 12],
      ['output.dense', 4],
    ],
  );
  assert.deepEqual(
    anatomy.encoderExtra?.map(organ => organ.id),
    ['encoder.final_norm'],
  );
  isWhole(model, anatomy);
});

test('an encoder whose output another attention reads is not a BERT alone', async () => {
  const { model, writer } = fused((made, x) =>
    made.add('Attention', [x, made.stored([width, 12]), made.stored([12])], { ...microsoft, num_heads: 2 }),
  );
  const encoded = model.graph!.outputs[0]!.name;
  const asks = writer.add('Gather', [writer.stored([9, width]), 'attention_mask']);
  const parts = [asks, encoded, encoded].map(value => writer.add('MatMul', [value, writer.stored([width, width])]));
  const { layers, notBert } = await detect(writer.model(attend(writer, parts[0]!, parts[1]!, parts[2]!)));
  assert.deepEqual(layers, []);
  assert.equal(say(notBert!), 'Not a BERT: its graph holds an encoder and a decoder that reads it.');
});

test('calls of functions that the file defines are said to be such', async () => {
  const writer = new Writer();
  const x = writer.add('Gather', [writer.stored([9, width]), 'input_ids']);
  const functions = [{ domain: '', name: 'BertLayer' }];
  const { notBert } = await detect(writer.model(writer.add('BertLayer', [x, writer.stored([width, width])]), { functions }));
  assert.match(say(notBert!), /calls functions defined in the file \(BertLayer\)/);
});

test('every operator that multiplies by a stored matrix of few bits stands for one of 6 x 4, with its scale and its bias', () => {
  const [byte, scale, bias] = [['uint8'], ['fp32'], ['fp32']] as const;
  const forms: readonly [string, (writer: Writer) => string[], Record<string, number>, boolean][] = [
    [
      'DynamicQuantizeMatMul',
      w => ['x', w.stored([4, 6], ...byte), w.stored([6], ...scale), '', w.stored([6], ...bias)],
      {},
      true,
    ],
    [
      'MatMulIntegerToFloat',
      w => ['x', w.stored([4, 6], ...byte), 's', w.stored([6], ...scale), '', '', w.stored([6], ...bias)],
      {},
      true,
    ],
    [
      'QGemm',
      w => ['x', 's', 'z', w.stored([6, 4], ...byte), w.stored([6], ...scale), '', w.stored([6], 'int32')],
      { transB: 1 },
      true,
    ],
    [
      'MatMulNBits',
      w => ['x', w.stored([6, 1, 2], ...byte), w.stored([6], ...scale), '', '', w.stored([6], ...bias)],
      { N: 6, K: 4 },
      true,
    ],
    ['MatMulBnb4', w => ['x', w.stored([12], ...byte), w.stored([6], ...scale)], { N: 6, K: 4 }, false],
    ['QLinearMatMul', w => ['x', 's', 'z', w.stored([4, 6], ...byte), w.stored([6], ...scale), ''], {}, false],
  ];
  for (const [opType, inputs, attributes, hasBias] of forms) {
    const writer = new Writer();
    const output = writer.add(opType, inputs(writer), { ...microsoft, ...attributes });
    const { graph, tensors } = writer.model(output);
    const product = productOf(wire(graph!, tensors), writer.nodes[0]!);
    assert.deepEqual([product?.out, product?.in, product?.form], [6, 4, 'quantized'], opType);
    assert.deepEqual([product?.scale?.shape.length, product?.bias !== undefined], [1, hasBias], opType);
  }
});

test('a table of 4 bits is as wide as the numbers that lie in its bytes', async () => {
  const writer = new Writer();
  const inputs = [writer.stored([9, 8], 'uint8'), 'input_ids', writer.stored([9, 1])];
  const x = writer.add('GatherBlockQuantized', inputs, { ...microsoft, bits: 4, block_size: 16, quantize_axis: 1 });
  const { graph, tensors } = writer.model(x);
  const flow = flowOf(wire(graph!, tensors));
  const { table } = tableAt(flow, flow.anchors.find(({ kind }) => kind === 'table')!);
  assert.deepEqual([table.rows, table.width, table.form, table.scale?.shape], [9, 16, 'quantized', [9, 1]]);
});
