// A BERT-base ONNX file of 438 MB with random weights, written without Python: the shape of a TorchScript export (opset 17, eager attention, constants folded).
import { closeSync, existsSync, openSync, statSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { onnx } = require('onnx-proto');

const shape = { vocabulary: 30522, positions: 512, types: 2, hidden: 768, layers: 12, heads: 12, forward: 3072 };

/** Writes the file unless it is there; returns its length. */
export function makeBertBase(path, { vocabulary, positions, types, hidden, layers, heads, forward } = shape) {
  if (existsSync(path)) return statSync(path).size;
  const nodes = [];
  const tensors = [];
  let next = 0;
  const fresh = () => `t${next++}`;
  const node = (opType, inputs, attributes = {}, output = fresh()) => {
    const attribute = Object.entries(attributes).map(([name, value]) => {
      if (Array.isArray(value)) return { name, type: 7, ints: value };
      return Number.isInteger(value) ? { name, type: 2, i: value } : { name, type: 1, f: value };
    });
    nodes.push(onnx.NodeProto.create({ opType, name: `/${opType}_${nodes.length}`, input: inputs, output: [output], attribute }));
    return output;
  };
  const weight = (name, ...dims) => {
    tensors.push({ name, dims, scale: dims.length === 1 ? 0.01 : 0.04 });
    return name;
  };
  const ints = (...values) => {
    const name = fresh();
    tensors.push({ name, dims: [values.length], int64: values });
    return name;
  };
  const scalar = value => {
    const name = fresh();
    tensors.push({ name, dims: [], float: value });
    return name;
  };
  const norm = (x, id) =>
    node('LayerNormalization', [x, weight(`${id}.weight`, hidden), weight(`${id}.bias`, hidden)], {
      axis: -1,
      epsilon: 1.0000001e-12,
    });
  const linear = (x, id, input, output) =>
    node('Add', [weight(`${id}.bias`, output), node('MatMul', [x, weight(`onnx::MatMul_${next++}`, input, output)])]);
  const split = (x, perm) => node('Transpose', [node('Reshape', [x, ints(0, 0, heads, hidden / heads)])], { perm });

  const word = node('Gather', [weight('embeddings.word_embeddings.weight', vocabulary, hidden), 'input_ids']);
  const type = node('Gather', [weight('embeddings.token_type_embeddings.weight', types, hidden), 'token_type_ids']);
  const length = node('Gather', [node('Shape', ['input_ids']), ints(1)], { axis: 0 });
  tensors.push({ name: 'position_ids', dims: [1, positions], int64: Array.from({ length: positions }, (_, i) => i) });
  const position = node('Gather', [
    weight('embeddings.position_embeddings.weight', positions, hidden),
    node('Slice', ['position_ids', ints(0), length, ints(1)]),
  ]);
  let x = norm(node('Add', [node('Add', [word, type]), position]), 'embeddings.LayerNorm');
  const mask = node('Mul', [
    node('Sub', [scalar(1), node('Cast', [node('Unsqueeze', ['attention_mask', ints(1, 2)])], { to: 1 })]),
    scalar(-1e4),
  ]);
  for (let layer = 0; layer < layers; layer++) {
    const id = `encoder.layer.${layer}`;
    const query = split(linear(x, `${id}.attention.self.query`, hidden, hidden), [0, 2, 1, 3]);
    const key = split(linear(x, `${id}.attention.self.key`, hidden, hidden), [0, 2, 3, 1]);
    const value = split(linear(x, `${id}.attention.self.value`, hidden, hidden), [0, 2, 1, 3]);
    const scores = node('Add', [node('Div', [node('MatMul', [query, key]), scalar(Math.sqrt(hidden / heads))]), mask]);
    const context = node('Transpose', [node('MatMul', [node('Softmax', [scores], { axis: -1 }), value])], { perm: [0, 2, 1, 3] });
    const attended = linear(node('Reshape', [context, ints(0, 0, hidden)]), `${id}.attention.output.dense`, hidden, hidden);
    x = norm(node('Add', [attended, x]), `${id}.attention.output.LayerNorm`);
    const up = linear(x, `${id}.intermediate.dense`, hidden, forward);
    const erf = node('Add', [node('Erf', [node('Div', [up, scalar(Math.SQRT2)])]), scalar(1)]);
    const gelu = node('Mul', [node('Mul', [up, erf]), scalar(0.5)]);
    x = norm(node('Add', [linear(gelu, `${id}.output.dense`, forward, hidden), x]), `${id}.output.LayerNorm`);
  }
  node('Identity', [x], {}, 'last_hidden_state');
  const first = node('Gather', [x, ints(0)], { axis: 1 });
  const flat = node('Squeeze', [first, ints(1)]);
  const pooled = node('Gemm', [flat, weight('pooler.dense.weight', hidden, hidden), weight('pooler.dense.bias', hidden)], {
    transB: 1,
  });
  node('Tanh', [pooled], {}, 'pooler_output');
  return writeModel(path, nodes, tensors, hidden);
}

const info = (name, elemType, dims) => ({
  name,
  type: { tensorType: { elemType, shape: { dim: dims.map(d => (typeof d === 'string' ? { dimParam: d } : { dimValue: d })) } } },
});

function writeModel(path, nodes, tensors, hidden) {
  const graphHead = onnx.GraphProto.encode({
    node: nodes,
    name: 'main_graph',
    input: ['input_ids', 'attention_mask', 'token_type_ids'].map(name => info(name, 7, ['batch', 'sequence'])),
    output: [info('last_hidden_state', 1, ['batch', 'sequence', hidden]), info('pooler_output', 1, ['batch', hidden])],
  }).finish();
  const pieces = tensors.map(tensor => {
    const elements = tensor.dims.reduce((a, b) => a * b, 1);
    const byteLength = elements * (tensor.int64 ? 8 : 4);
    const head = onnx.TensorProto.encode({ dims: tensor.dims, dataType: tensor.int64 ? 7 : 1, name: tensor.name }).finish();
    const rawTag = Uint8Array.of(0x4a, ...varint(byteLength));
    const length = head.length + rawTag.length + byteLength;
    return { tensor, elements, byteLength, head: Buffer.concat([Uint8Array.of(0x2a, ...varint(length)), head, rawTag]) };
  });
  const graphLength = graphHead.length + pieces.reduce((sum, it) => sum + it.head.length + it.byteLength, 0);
  const modelHead = onnx.ModelProto.encode({
    irVersion: 8,
    producerName: 'pytorch',
    producerVersion: '2.2.0',
    opsetImport: [{ domain: '', version: 17 }],
  }).finish();
  const fd = openSync(path, 'w');
  let state = 42;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  const noise = Float32Array.from({ length: 1 << 20 }, () => random() + random() + random());
  writeSync(fd, Buffer.concat([modelHead, Uint8Array.of(0x3a, ...varint(graphLength)), graphHead]));
  for (const piece of pieces) {
    const { tensor, elements, head } = piece;
    const isGain = tensor.name.endsWith('LayerNorm.weight');
    writeSync(fd, head);
    if (tensor.int64) writeSync(fd, Buffer.from(BigInt64Array.from(tensor.int64.map(BigInt)).buffer));
    else if (tensor.float !== undefined) writeSync(fd, Buffer.from(Float32Array.of(tensor.float).buffer));
    else {
      // Each tensor starts elsewhere in the noise: equal tensors would be taken for shared layers.
      let start = (pieces.indexOf(piece) * 65537) % noise.length;
      for (let done = 0; done < elements; ) {
        const part = noise
          .subarray(start, Math.min(noise.length, start + elements - done))
          .map(value => value * tensor.scale + (isGain ? 1 : 0));
        done += part.length;
        start = 0;
        writeSync(fd, Buffer.from(part.buffer, 0, part.byteLength));
      }
    }
  }
  closeSync(fd);
  return statSync(path).size;
}

function varint(value) {
  const bytes = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}
