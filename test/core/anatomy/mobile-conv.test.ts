import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Layer, linearsIn } from '../../../src/core/anatomy/anatomy.ts';
import { detect } from '../../../src/core/anatomy/detect.ts';
import { int64s } from './made-models.ts';
import { attend, isWhole, Writer } from './writer.ts';

/** Products with their biases, splits into heads, and norms, without a name that says anything. */
class Layers extends Writer {
  dense(x: string, inner: number, out: number): string {
    return this.add('Add', [this.add('MatMul', [x, this.stored([inner, out])]), this.stored([out])]);
  }

  /** x * gain + shift: MobileBERT's norm that measures nothing. */
  noNorm(x: string, width: number): string {
    return this.add('Add', [this.add('Mul', [x, this.stored([width])]), this.stored([width])]);
  }

  norm(x: string, width: number): string {
    return this.add('LayerNormalization', [x, this.stored([width]), this.stored([width])]);
  }

  split(x: string, heads: number, width: number): string {
    const shape = this.stored([4], 'int64', int64s(0, 0, heads, width));
    return this.add('Transpose', [this.add('Reshape', [x, shape])], { perm: [0, 2, 1, 3] });
  }

  merged(x: string, width: number): string {
    const turned = this.add('Transpose', [x], { perm: [0, 2, 1, 3] });
    return this.add('Reshape', [turned, this.stored([3], 'int64', int64s(0, 0, width))]);
  }
}

const idsIn = (layer: Layer): string[] => [
  ...linearsIn(layer).map(({ id }) => id),
  ...(layer.extra ?? []).flatMap(({ id, linear }) => (linear ? [] : id)),
];

const [hidden, narrow, forward] = [6, 4, 5];

/** MobileBERT's embeddings: three neighbouring words in one product, summed with positions. */
function neighbours(writer: Layers): string {
  const words = writer.add('Gather', [writer.stored([9, 3]), 'input_ids']);
  const shifted = [1, 2].map(() => writer.add('Pad', [writer.add('Slice', [words])]));
  const embedded = writer.dense(writer.add('Concat', [shifted[0]!, words, shifted[1]!], { axis: 2 }), 9, hidden);
  const places = writer.add('Gather', [writer.stored([7, hidden]), writer.add('Range', ['zero', 'length', 'one'])]);
  return writer.noNorm(writer.add('Add', [embedded, places]), hidden);
}

/** One layer of MobileBERT; query and key read a bottleneck of their own where `isShared`, else all read the one of the layer. */
function bottlenecked(writer: Layers, x: string, heads: number, networks: number, isShared: boolean): string {
  const inner = writer.noNorm(writer.dense(x, hidden, narrow), narrow);
  const shared = isShared ? writer.noNorm(writer.dense(x, hidden, narrow), narrow) : inner;
  const part = (value: string, width: number) => writer.split(writer.dense(value, width, narrow), heads, narrow / heads);
  const parts = [part(shared, narrow), part(shared, narrow), isShared ? part(x, hidden) : part(inner, narrow)] as const;
  const output = writer.dense(writer.merged(attend(writer, ...parts), narrow), narrow, narrow);
  let y = writer.noNorm(writer.add('Add', [output, inner]), narrow);
  for (let network = 0; network < networks; network++) {
    const up = writer.add('Relu', [writer.dense(y, narrow, forward)]);
    y = writer.noNorm(writer.add('Add', [writer.dense(up, forward, narrow), y]), narrow);
  }
  return writer.noNorm(writer.add('Add', [writer.dense(y, narrow, hidden), x]), hidden);
}

test('MobileBERT is taken apart from its structure: bottlenecks, networks one behind the other, norms that measure nothing', async () => {
  for (const isShared of [true, false]) {
    const writer = new Layers();
    let x = neighbours(writer);
    for (const heads of [2, 1]) x = bottlenecked(writer, x, heads, 3, isShared);
    const model = writer.model(x);
    const anatomy = await detect(model);
    assert.deepEqual([anatomy.family, anatomy.task, anatomy.top], ['mobilebert', 'base', []]);
    assert.deepEqual(
      anatomy.layers.map(({ heads, headDim }) => [heads, headDim]),
      [
        [2, 2],
        [1, 4],
      ],
    );
    assert.deepEqual(
      [anatomy.embeddingProjection?.in, anatomy.tables.length, anatomy.embeddingNorm?.weight?.shape],
      [9, 2, [hidden]],
    );
    const [layer] = anatomy.layers;
    assert.deepEqual([layer!.query.in, layer!.value.in, layer!.up.in, layer!.down.out], [4, isShared ? 6 : 4, 4, 4]);
    const shared = isShared ? ['bottleneck.attention.dense', 'bottleneck.attention.LayerNorm'] : [];
    assert.deepEqual(
      new Set(idsIn(layer!).map(id => id.replace('encoder.layer.0.', ''))),
      new Set([
        ...['query', 'key', 'value'].map(name => `attention.self.${name}`),
        ...['attention.output.dense', 'intermediate.dense', 'output.dense'],
        ...['bottleneck.input.dense', 'bottleneck.input.LayerNorm', ...shared],
        ...['output.bottleneck.dense', 'output.bottleneck.LayerNorm'],
        ...[0, 1].flatMap(at => ['intermediate.dense', 'output.dense', 'output.LayerNorm'].map(name => `ffn.${at}.${name}`)),
      ]),
    );
    assert.ok(layer!.attentionNorm.weight && layer!.outputNorm.weight);
    isWhole(model, anatomy);
  }
});

/** One layer of ConvBERT: half of what the output projection reads is made by a convolution whose kernel depends on the data. */
function convolved(writer: Layers, x: string, groups: number): string {
  const half = hidden / 2;
  const query = writer.dense(x, hidden, half);
  const [key, value] = [1, 2].map(() => writer.split(writer.dense(x, hidden, half), 1, half));
  const turned = writer.add('Transpose', [x], { perm: [0, 2, 1] });
  const depthwise = writer.add('Conv', [turned, writer.stored([hidden, 1, 9])], { group: hidden, kernel_shape: [9] });
  const pointwise = writer.add('Conv', [depthwise, writer.stored([half, hidden, 1])], { group: 1, kernel_shape: [1] });
  const keyed = writer.add('Transpose', [writer.add('Add', [pointwise, writer.stored([half, 1])])], { perm: [0, 2, 1] });
  const kernel = writer.dense(writer.add('Mul', [keyed, query]), half, 9);
  const weights = writer.add('Softmax', [writer.add('Reshape', [kernel, writer.stored([3], 'int64', int64s(-1, 9, 1))])], {
    axis: 1,
  });
  const unfolded = writer.add(
    'Gather',
    [writer.dense(x, hidden, half), writer.stored([9], 'int64', int64s(...Array(9).fill(0)))],
    { axis: 1 },
  );
  const beside = writer.add('Reshape', [
    writer.add('MatMul', [unfolded, weights]),
    writer.stored([4], 'int64', int64s(0, -1, 1, half)),
  ]);
  const context = writer.add('Transpose', [attend(writer, writer.split(query, 1, half), key!, value!)], { perm: [0, 2, 1, 3] });
  const both = writer.add('Reshape', [
    writer.add('Concat', [context, beside], { axis: 2 }),
    writer.stored([3], 'int64', int64s(0, 0, hidden)),
  ]);
  const attended = writer.norm(writer.add('Add', [writer.dense(both, hidden, hidden), x]), hidden);
  const linear = (value: string, inner: number, out: number) => {
    if (groups === 1) return writer.dense(value, inner, out);
    const rows = writer.add('Transpose', [writer.add('Reshape', [value, 'rows'])], { perm: [1, 0, 2] });
    const product = writer.add('MatMul', [rows, writer.stored([groups, inner / groups, out / groups])]);
    const joined = writer.add('Reshape', [writer.add('Transpose', [product], { perm: [1, 0, 2] }), 'joined']);
    return writer.add('Add', [joined, writer.stored([out])]);
  };
  const up = writer.add('Gelu', [linear(attended, hidden, 8)]);
  return writer.norm(writer.add('Add', [linear(up, 8, hidden), attended]), hidden);
}

test('ConvBERT is taken apart from its structure: the convolution beside the heads, and matrices in groups', async () => {
  for (const groups of [1, 2]) {
    const writer = new Layers();
    let x = writer.norm(writer.add('Gather', [writer.stored([9, hidden]), 'input_ids']), hidden);
    for (let layer = 0; layer < 2; layer++) x = convolved(writer, x, groups);
    const model = writer.model(x);
    const anatomy = await detect(model);
    assert.deepEqual([anatomy.family, anatomy.layers.length], ['convbert', 2]);
    const [, layer] = anatomy.layers;
    assert.deepEqual([layer!.heads, layer!.headDim, layer!.query.out, layer!.output.in], [1, 3, 3, 6]);
    assert.deepEqual([layer!.up.out, layer!.up.in, layer!.up.groups ?? 1], [8, 6, groups]);
    assert.deepEqual(layer!.extra?.map(({ id }) => id.replace('encoder.layer.1.attention.self.', '')).sort(), [
      'conv_kernel_layer',
      'conv_out_layer',
      'key_conv_attn_layer',
      'key_conv_attn_layer.depthwise',
      'key_conv_attn_layer.pointwise',
    ]);
    isWhole(model, anatomy);
  }
});

test('DeBERTa’s convolution of the embeddings stands between the first layer and the second', async () => {
  const writer = new Layers();
  const embedded = writer.norm(writer.add('Gather', [writer.stored([9, hidden]), 'input_ids']), hidden);
  const layer = (x: string) => {
    const parts = [1, 2, 3].map(() => writer.split(writer.dense(x, hidden, hidden), 2, 3)) as [string, string, string];
    const output = writer.dense(writer.merged(attend(writer, ...parts), hidden), hidden, hidden);
    const attended = writer.norm(writer.add('Add', [output, x]), hidden);
    const up = writer.add('Gelu', [writer.dense(attended, hidden, forward)]);
    return writer.norm(writer.add('Add', [writer.dense(up, forward, hidden), attended]), hidden);
  };
  const turned = writer.add('Transpose', [embedded], { perm: [0, 2, 1] });
  const convolved = writer.add('Conv', [turned, writer.stored([hidden, hidden, 3]), writer.stored([hidden])], {
    kernel_shape: [3],
  });
  const beside = writer.add('Tanh', [writer.add('Transpose', [convolved], { perm: [0, 2, 1] })]);
  const first = writer.norm(writer.add('Add', [layer(embedded), beside]), hidden);
  const model = writer.model(layer(first));
  const anatomy = await detect(model);
  assert.equal(anatomy.layers.length, 2);
  assert.deepEqual(
    anatomy.encoderExtra?.map(({ id }) => id),
    ['encoder.conv.conv', 'encoder.conv.LayerNorm'],
  );
  isWhole(model, anatomy);
});
