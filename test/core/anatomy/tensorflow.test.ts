import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linearsIn } from '../../../src/core/anatomy/anatomy.ts';
import { detect } from '../../../src/core/anatomy/detect.ts';
import type { Model } from '../../../src/core/model/model.ts';
import { int64s } from './made-models.ts';
import { isWhole, Writer } from './writer.ts';

// How Keras and TensorFlow write a layer, converted by tf2onnx or keras2onnx. Two heads of 3 in a hidden width of 4, which PyTorch's BERT cannot have.
const [hidden, heads, width, forward] = [4, 2, 3, 5];
const wide = heads * width;

/** Layers between embeddings and output; `attend` gives what the output projection makes of the hidden state, `x` and that are of the rank it asks for. */
function layers(
  writer: Writer,
  { count, attend, norm, linear }: { count: number; attend: (x: string) => string; norm: Norm; linear: Linear },
): Model {
  const tables = [writer.stored([9, hidden]), writer.stored([7, hidden])];
  const words = writer.add('Gather', [tables[0]!, 'input_ids']);
  const places = writer.add('Gather', [tables[1]!, writer.add('Range', ['zero', 'length', 'one'])]);
  let x = norm(writer.add('Add', [words, places]));
  for (let layer = 0; layer < count; layer++) {
    const attended = norm(writer.add('Add', [attend(x), x]));
    const up = linear(attended, hidden, forward);
    const half = writer.add('Mul', [up, writer.stored([])]);
    const erf = writer.add('Erf', [writer.add('Div', [up, writer.stored([])])]);
    const act = writer.add('Mul', [half, writer.add('Add', [erf, writer.stored([])])]);
    x = norm(writer.add('Add', [linear(act, forward, hidden), attended]));
  }
  return writer.model(x);
}

type Norm = (x: string) => string;
type Linear = (x: string, width: number, out: number) => string;

/** x * m + (beta - mean * m) with m = gamma / deviation; axes are an input, as from opset 18 on. */
const folded =
  (writer: Writer): Norm =>
  x => {
    const [gamma, beta] = [writer.stored([hidden]), writer.stored([hidden])];
    const axes = writer.stored([1], 'int64', int64s(-1));
    const mean = writer.add('ReduceMean', [x, axes], { keepdims: 1 });
    const difference = writer.add('Sub', [x, mean]);
    const variance = writer.add('ReduceMean', [writer.add('Mul', [difference, difference]), axes], { keepdims: 1 });
    const deviation = writer.add('Sqrt', [writer.add('Add', [variance, writer.stored([])])]);
    const scale = writer.add('Mul', [writer.add('Reciprocal', [deviation]), gamma]);
    const shift = writer.add('Sub', [beta, writer.add('Mul', [mean, scale])]);
    return writer.add('Add', [writer.add('Mul', [x, scale]), shift]);
  };

/** The same with the shift first, and subtraction of the mean written out. */
const writtenOut =
  (writer: Writer): Norm =>
  x => {
    const [gamma, beta] = [writer.stored([hidden]), writer.stored([hidden])];
    const mean = writer.add('ReduceMean', [x], { axes: [-1] });
    const difference = writer.add('Sub', [x, mean]);
    const variance = writer.add('ReduceMean', [writer.add('Pow', [difference, writer.stored([])])], { axes: [-1] });
    const deviation = writer.add('Sqrt', [writer.add('Add', [variance, writer.stored([])])]);
    const normed = writer.add('Div', [difference, deviation]);
    return writer.add('Add', [beta, writer.add('Mul', [gamma, normed])]);
  };

async function isAttributed(model: Model, count: number): Promise<void> {
  const anatomy = await detect(model);
  assert.equal(anatomy.layers.length, count);
  for (const layer of anatomy.layers) {
    assert.deepEqual([layer.heads, layer.headDim], [heads, width]);
    assert.deepEqual(
      linearsIn(layer).map(({ out, in: inner, bias }) => [out, inner, bias !== undefined]),
      [
        [wide, hidden, true],
        [wide, hidden, true],
        [wide, hidden, true],
        [hidden, wide, true],
        [forward, hidden, true],
        [hidden, forward, true],
      ],
    );
    assert.ok(layer.attentionNorm.weight && layer.attentionNorm.bias && layer.outputNorm.weight && layer.outputNorm.bias);
  }
  assert.ok(anatomy.embeddingNorm?.weight);
  isWhole(model, anatomy);
}

test('Keras’ Einsums: kernels of [hidden, heads, width] and [heads, width, hidden], biases of [heads, width]', async () => {
  const writer = new Writer();
  const einsum = (inputs: string[], equation: string) => writer.add('Einsum', inputs, { equation });
  const linear: Linear = (x, inner, out) =>
    writer.add('Add', [einsum([x, writer.stored([inner, out])], 'abc,cd->abd'), writer.stored([out])]);
  const attend = (x: string) => {
    const part = () => {
      const product = einsum([x, writer.stored([hidden, heads, width])], 'abc,cde->abde');
      return writer.add('Add', [product, writer.stored([heads, width])]);
    };
    const [query, key, value] = [writer.add('Mul', [part(), writer.stored([])]), part(), part()];
    const probabilities = writer.add('Softmax', [einsum([key, query], 'aecd,abcd->acbe')]);
    const context = einsum([probabilities, value], 'acbe,aecd->abcd');
    const product = einsum([context, writer.stored([heads, width, hidden])], 'abcd,cde->abe');
    return writer.add('Add', [product, writer.stored([hidden])]);
  };
  await isAttributed(layers(writer, { count: 2, attend, norm: folded(writer), linear }), 2);
});

/** Data of two dimensions between reshapes, Softmax of two dimensions as before opset 13, biases behind the split into heads. */
function flat(writer: Writer, isBiasBehindSplit: boolean, kernel: (inner: number, out: number) => string): (x: string) => string {
  const shaped = (x: string, ...sizes: number[]) =>
    writer.add('Reshape', [x, writer.stored([sizes.length], 'int64', int64s(...sizes))]);
  return x => {
    const rows = shaped(x, -1, hidden);
    const part = () => {
      const product = writer.add('MatMul', [rows, kernel(hidden, wide)]);
      if (!isBiasBehindSplit) return shaped(writer.add('Add', [product, writer.stored([wide])]), -1, 7, heads, width);
      return writer.add('Add', [shaped(product, -1, 7, heads, width), writer.stored([1, 1, heads, width])]);
    };
    const [query, key, value] = [part(), part(), part()].map(value => writer.add('Transpose', [value], { perm: [0, 2, 1, 3] }));
    const scores = writer.add('MatMul', [query!, writer.add('Transpose', [key!], { perm: [0, 1, 3, 2] })]);
    const masked = writer.add('Add', [writer.add('Mul', [scores, writer.stored([])]), 'mask']);
    const probabilities = writer.add('Softmax', [writer.add('Flatten', [masked], { axis: 3 })], { axis: 1 });
    const context = writer.add('MatMul', [shaped(probabilities, -1, heads, 7, 7), value!]);
    const merged = shaped(writer.add('Transpose', [context], { perm: [0, 2, 1, 3] }), -1, wide);
    const product = writer.add('MatMul', [merged, kernel(wide, hidden)]);
    return shaped(writer.add('Add', [product, writer.stored([hidden])]), -1, 7, hidden);
  };
}

test('data of two dimensions, norms written out, Softmax over a flattened value', async () => {
  for (const isBiasBehindSplit of [false, true]) {
    const writer = new Writer();
    const kernel = (inner: number, out: number) => writer.stored([inner, out]);
    const linear: Linear = (x, inner, out) =>
      writer.add('Add', [writer.stored([out]), writer.add('MatMul', [x, kernel(inner, out)])]);
    const attend = flat(writer, isBiasBehindSplit, kernel);
    await isAttributed(layers(writer, { count: 1, attend, norm: writtenOut(writer), linear }), 1);
  }
});

test('kernels of three dimensions that are reshaped into matrices', async () => {
  const writer = new Writer();
  const linear: Linear = (x, inner, out) =>
    writer.add('Add', [writer.add('MatMul', [x, writer.stored([inner, out])]), writer.stored([out])]);
  const kernel = (inner: number, out: number) => {
    const stored = inner === hidden ? writer.stored([hidden, heads, width]) : writer.stored([heads, width, hidden]);
    return writer.add('Reshape', [stored, writer.stored([2], 'int64', int64s(inner, out))]);
  };
  await isAttributed(layers(writer, { count: 2, attend: flat(writer, false, kernel), norm: folded(writer), linear }), 2);
});
