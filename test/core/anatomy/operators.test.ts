import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linearsIn } from '../../../src/core/anatomy/anatomy.ts';
import { detect } from '../../../src/core/anatomy/detect.ts';
import { say } from '../../../src/core/errors.ts';
import { floats, int64s } from './made-models.ts';
import { attend, fused, isWhole, microsoft, Writer, width } from './writer.ts';

const numbered = (count: number) => floats(...Float32Array.from({ length: count }, (_, index) => index));

test('MultiHeadAttention given one value of query, key and value has them head by head', async () => {
  const { model } = fused((writer, x) => {
    const product = writer.add('MatMul', [x, writer.stored([width, 3 * width], 'fp32', numbered(3 * width * width))]);
    const shape = writer.stored([5], 'int64', int64s(0, 0, 2, 3, 2));
    return writer.add('MultiHeadAttention', [writer.add('Reshape', [product, shape])], { ...microsoft, num_heads: 2 });
  });
  const anatomy = await detect(model);
  const { key, heads, headDim } = anatomy.layers[0]!;
  assert.deepEqual([heads, headDim, key.out, key.in], [2, 2, 4, 4]);
  const bytes = await key.weight.bytes();
  assert.deepEqual([...new Float32Array(bytes.slice().buffer)].slice(0, 4), [2, 3, 8, 9]);
  isWhole(model, anatomy);
});

test('MultiHeadAttention given key and value in one has them head by head', async () => {
  const { model } = fused((writer, x) => {
    const query = writer.add('MatMul', [x, writer.stored([width, width])]);
    const both = writer.add('MatMul', [x, writer.stored([width, 2 * width], 'fp32', numbered(2 * width * width))]);
    const pair = writer.add('Reshape', [both, writer.stored([5], 'int64', int64s(0, 0, 2, 2, 2))]);
    return writer.add('MultiHeadAttention', [query, pair, ''], { ...microsoft, num_heads: 2 });
  });
  const anatomy = await detect(model);
  const { value } = anatomy.layers[0]!;
  assert.equal(value.within?.id, 'encoder.layer.0.attention.self.key_value');
  const bytes = await value.weight.bytes();
  assert.deepEqual([...new Float32Array(bytes.slice().buffer)].slice(0, 4), [2, 3, 6, 7]);
  isWhole(model, anatomy);
});

test('attention without padding is given products of tokens, and biases in one vector', async () => {
  const { model } = fused((writer, x) => {
    const removed = writer.add('RemovePadding', [x, 'attention_mask'], microsoft, 4);
    const products = [1, 2, 3].map(() => writer.add('MatMul', [removed, writer.stored([width, width])]));
    const offsets = [removed.replace(/0$/, '1'), removed.replace(/0$/, '2')];
    const inputs = [...products, writer.stored([3 * width]), ...offsets];
    const context = writer.add('PackedMultiHeadAttention', inputs, { ...microsoft, num_heads: 2 });
    return writer.add('RestorePadding', [context, offsets[0]!], microsoft);
  });
  const anatomy = await detect(model);
  assert.equal(anatomy.layers[0]!.heads, 2);
  isWhole(model, anatomy);
});

test('ONNX’s Attention behind RotaryEmbedding: sines and cosines are buffers, heads are those of the operator', async () => {
  for (const domain of [microsoft, {}]) {
    const { model } = fused((writer, x) => {
      const parts = [1, 2, 3].map(() => writer.add('MatMul', [x, writer.stored([width, width])]));
      const caches = [writer.stored([7, 1]), writer.stored([7, 1])];
      const turn = (value: string) => {
        const inputs = domain === microsoft ? [value, 'positions', ...caches] : [value, ...caches, 'positions'];
        return writer.add('RotaryEmbedding', inputs, { ...domain, num_heads: 2 });
      };
      const inputs = [turn(parts[0]!), turn(parts[1]!), parts[2]!, 'attention_mask'];
      return writer.add('Attention', inputs, { q_num_heads: 2, kv_num_heads: 2 }, 4);
    });
    const { layers, unclaimed, buffers } = await detect(model);
    assert.deepEqual([layers[0]!.heads, layers[0]!.headDim, unclaimed], [2, 2, []]);
    assert.equal(buffers.filter(({ shape }) => shape.join() === '7,1').length, 2);
  }
});

test('attention that generates text token by token is named for it', async () => {
  for (const opType of ['GroupQueryAttention', 'DecoderMaskedMultiHeadAttention', 'DecoderMaskedSelfAttention']) {
    const { model } = fused((writer, x) => {
      const products = [1, 2, 3].map(() => writer.add('MatMul', [x, writer.stored([width, width])]));
      return writer.add(opType, products, { ...microsoft, num_heads: 2 });
    });
    const { layers, notBert } = await detect(model);
    assert.deepEqual(layers, []);
    assert.equal(say(notBert!), 'Not a BERT: it looks like a decoder for text generation.');
  }
});

/** Norms first, in operators that give the sum as well. */
test('skips that hand out their sum are layers that normalize first', async () => {
  for (const [skip, shifts] of [
    ['SkipLayerNormalization', 1],
    ['SkipSimplifiedLayerNormalization', 0],
  ] as const) {
    const writer = new Writer();
    const vectors = () => [writer.stored([width]), ...(shifts ? [writer.stored([width])] : [])];
    const sums = (branch: string, x: string) => {
      const normed = writer.add(skip, [branch, x, ...vectors(), writer.stored([width])], microsoft, 4);
      return [normed, normed.replace(/0$/, '3')] as const;
    };
    let x = writer.add('Gather', [writer.stored([9, width]), 'input_ids']);
    let normed = writer.add(shifts ? 'LayerNormalization' : 'SimplifiedLayerNormalization', [x, ...vectors()]);
    for (let layer = 0; layer < 2; layer++) {
      const parts = [1, 2, 3].map(() => {
        const product = writer.add('FusedMatMul', [normed, writer.stored([width, width])], { ...microsoft, transB: 1 });
        return writer.add('Reshape', [product, writer.stored([4], 'int64', int64s(0, 0, 2, 2))]);
      }) as [string, string, string];
      const output = writer.add('MatMul', [attend(writer, ...parts), writer.stored([width, width])]);
      [normed, x] = sums(output, x);
      const up = writer.add('GemmFastGelu', [normed, writer.stored([width, 6]), writer.stored([6])], microsoft);
      [normed, x] = sums(writer.add('MatMul', [up, writer.stored([6, width])]), x);
    }
    const model = writer.model(normed);
    const anatomy = await detect(model);
    const [first, second] = anatomy.layers;
    assert.ok(first!.attentionNorm.weight && second!.attentionNorm.weight && second!.outputNorm.weight, skip);
    assert.equal(second!.query.transposed, false, 'transB: [out, in]');
    assert.deepEqual(
      anatomy.encoderExtra?.map(organ => organ.id),
      ['encoder.final_norm'],
    );
    assert.ok(linearsIn(second!).every(({ id, bias }) => Boolean(bias) === /output.dense|intermediate/.test(id)));
    isWhole(model, anatomy);
  }
});

test('embeddings in one operator give their sum too, and the last activation may have a bias of its own', async () => {
  const writer = new Writer();
  const vector = () => writer.stored([width]);
  const tables = [writer.stored([9, width]), writer.stored([7, width]), writer.stored([2, width])];
  const inputs = ['input_ids', 'segment_ids', ...tables, vector(), vector(), 'attention_mask', 'position_ids'];
  const x = writer.add('EmbedLayerNormalization', inputs, microsoft, 3);
  const weights = [writer.stored([width, 12]), writer.stored([12])];
  const context = writer.add('Attention', [x, ...weights], { ...microsoft, num_heads: 2 });
  const output = writer.add('MatMul', [context, writer.stored([width, width])]);
  const attended = writer.add('SkipLayerNormalization', [output, x, vector(), vector(), vector()], microsoft);
  const up = writer.add('FastGelu', [writer.add('MatMul', [attended, writer.stored([width, 6])]), writer.stored([6])], microsoft);
  const down = writer.add('Gemm', [up, writer.stored([6, width]), vector()]);
  const y = writer.add('SkipLayerNormalization', [down, attended, vector(), vector()], microsoft);
  const model = writer.model(y);
  const anatomy = await detect(model);
  assert.deepEqual(
    anatomy.tables.map(({ id, rows }) => [id.split('.')[1], rows]),
    [
      ['word_embeddings', 9],
      ['position_embeddings', 7],
      ['token_type_embeddings', 2],
    ],
  );
  assert.ok(linearsIn(anatomy.layers[0]!).every(({ bias }) => bias));
  isWhole(model, anatomy);
});

/** Matrices as convolutions of width one with groups, their data [batch, hidden, sequence]: SqueezeBERT. */
function squeezed(writer: Writer, convolve: (x: string, inner: number, out: number) => string): ReturnType<Writer['model']> {
  const norm = (x: string) => {
    const turned = writer.add('Transpose', [x], { perm: [0, 2, 1] });
    const normed = writer.add('LayerNormalization', [turned, writer.stored([width]), writer.stored([width])]);
    return writer.add('Transpose', [normed], { perm: [0, 2, 1] });
  };
  const words = writer.add('Gather', [writer.stored([9, width]), 'input_ids']);
  const x = norm(writer.add('Transpose', [words], { perm: [0, 2, 1] }));
  const shape = writer.stored([4], 'int64', int64s(0, 2, 2, -1));
  const split = (value: string) => writer.add('Reshape', [value, shape]);
  const [query, value] = [1, 2].map(() => writer.add('Transpose', [split(convolve(x, width, width))], { perm: [0, 1, 3, 2] }));
  const key = split(convolve(x, width, width));
  const probabilities = writer.add('Softmax', [writer.add('MatMul', [query!, key])]);
  const context = writer.add('Transpose', [writer.add('MatMul', [probabilities, value!])], { perm: [0, 1, 3, 2] });
  const merged = writer.add('Reshape', [context, writer.stored([3], 'int64', int64s(0, width, -1))]);
  const attended = norm(writer.add('Add', [convolve(merged, width, width), x]));
  const up = writer.add('Gelu', [convolve(attended, width, 6)]);
  return writer.model(norm(writer.add('Add', [convolve(up, 6, width), attended])));
}

test('convolutions of width one are matrices in groups, of floats or of integers', async () => {
  const forms: ((writer: Writer) => (x: string, inner: number, out: number) => string)[] = [
    writer => (x, inner, out) => writer.add('Conv', [x, writer.stored([out, inner / 2, 1]), writer.stored([out])], { group: 2 }),
    writer => (x, inner, out) => {
      const integers = writer.add('DynamicQuantizeLinear', [x], {}, 3);
      const [scale, zero] = ['1', '2'].map(at => integers.replace(/0$/, at));
      const kernel = [writer.stored([out, inner / 2, 1], 'int8'), zero!, writer.stored([], 'int8')];
      const product = writer.add('Cast', [writer.add('ConvInteger', [integers, ...kernel], { group: 2 })]);
      const scaled = writer.add('Mul', [product, writer.add('Mul', [scale!, writer.stored([])])]);
      const bias = writer.add('Reshape', [writer.stored([out]), writer.stored([3], 'int64', int64s(1, -1, 1))]);
      return writer.add('Add', [scaled, bias]);
    },
    writer => (x, inner, out) => {
      const inputs = [
        x,
        's',
        'z',
        writer.stored([out, inner / 2, 1], 'int8'),
        writer.stored([out]),
        writer.stored([out], 'int8'),
      ];
      return writer.add('QLinearConv', [...inputs, 's', 'z', writer.stored([out], 'int32')], { group: 2 });
    },
  ];
  for (const form of forms) {
    const writer = new Writer();
    const { family, layers, unclaimed } = await detect(squeezed(writer, form(writer)));
    const [layer] = layers;
    assert.deepEqual([family, layer!.heads, layer!.headDim], ['squeezebert', 2, 2]);
    assert.deepEqual(
      linearsIn(layer!).map(({ out, in: inner, groups, bias }) => [out, inner, groups, bias !== undefined]),
      [...Array(4).fill([4, 4, 2, true]), [6, 4, 2, true], [4, 6, 2, true]],
    );
    assert.deepEqual(unclaimed, []);
  }
});

/** Root mean square norms written out, a gate of its own, and a mask of one fixed length: EuroBERT. */
test('an encoder of gated layers with root mean square norms is one, unless its stored mask is a triangle', async () => {
  const build = (mask: readonly number[]) => {
    const writer = new Writer();
    const norm = (x: string) => {
      const mean = writer.add('ReduceMean', [writer.add('Pow', [x, writer.stored([])])], { axes: [-1] });
      const root = writer.add('Sqrt', [writer.add('Add', [mean, writer.stored([])])]);
      return writer.add('Mul', [writer.stored([width]), writer.add('Mul', [x, writer.add('Reciprocal', [root])])]);
    };
    const x = writer.add('Gather', [writer.stored([9, width]), 'input_ids']);
    const normed = norm(x);
    const split = (value: string) => writer.add('Reshape', [value, writer.stored([4], 'int64', int64s(0, 0, 2, 2))]);
    const [query, key, value] = [1, 2, 3].map(() => split(writer.add('MatMul', [normed, writer.stored([width, width])])));
    const scores = writer.add('MatMul', [query!, writer.add('Transpose', [key!], { perm: [0, 1, 3, 2] })]);
    const masked = writer.add('Add', [scores, writer.stored([1, 1, 2, 2], 'fp32', floats(...mask))]);
    const context = writer.add('MatMul', [writer.add('Softmax', [masked]), value!]);
    const attended = writer.add('Add', [x, writer.add('MatMul', [context, writer.stored([width, width])])]);
    const inner = norm(attended);
    const gate = writer.add('MatMul', [inner, writer.stored([width, 6])]);
    const act = writer.add('Mul', [gate, writer.add('Sigmoid', [gate])]);
    const gated = writer.add('Mul', [act, writer.add('MatMul', [inner, writer.stored([width, 6])])]);
    const y = writer.add('Add', [attended, writer.add('MatMul', [gated, writer.stored([6, width])])]);
    return detect(writer.model(norm(y)));
  };
  const { family, layers, encoderExtra } = await build([0, 0, 0, 0]);
  assert.deepEqual([family, layers[0]!.heads, layers[0]!.gate?.out, layers[0]!.up.out], ['eurobert', 2, 6, 6]);
  assert.ok(layers[0]!.attentionNorm.weight && layers[0]!.outputNorm.weight);
  assert.deepEqual(
    encoderExtra?.map(({ id }) => id),
    ['encoder.final_norm'],
  );
  const { notBert } = await build([0, -1e9, 0, 0]);
  assert.equal(say(notBert!), 'Not a BERT: it looks like a decoder for text generation.');
});
