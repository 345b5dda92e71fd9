import { field, floats, integer, join, model, node, rawTensor, value, varint } from '../core/format/protobuf.ts';

// Small BERTs as plain values: what the fuzzer takes apart and puts together wrongly.

export interface NodeSpec {
  op: string;
  inputs: string[];
  outputs: string[];
  attributes: Record<string, number | number[]>;
  /** Written as the graph of an attribute, for If and Loop. */
  body?: GraphSpec;
}

export interface TensorSpec {
  name: string;
  /** TensorProto.DataType. */
  type: number;
  dims: number[];
  raw: Uint8Array;
}

export interface GraphSpec {
  nodes: NodeSpec[];
  tensors: TensorSpec[];
  inputs: string[];
  outputs: string[];
}

const [hidden, heads, forward, layers] = [8, 2, 16, 2];

/** A BERT of two layers as TorchScript writes it: Gather, MatMul and Add, Reshape and Transpose, Softmax, LayerNormalization, a pooler. */
export function bertGraph(): GraphSpec {
  const nodes: NodeSpec[] = [];
  const tensors: TensorSpec[] = [];
  const run = (op: string, inputs: string[], attributes: NodeSpec['attributes'] = {}, output = `v${nodes.length}`): string => {
    nodes.push({ op, inputs, outputs: [output], attributes });
    return output;
  };
  const weight = (name: string, ...dims: number[]): string => {
    const count = dims.reduce((a, b) => a * b, 1);
    const raw = floats(...Array.from({ length: count }, (_, i) => Math.sin(i * 7 + tensors.length)));
    tensors.push({ name, type: 1, dims, raw });
    return name;
  };
  const shape = (...sizes: number[]): string => {
    const name = `shape${tensors.length}`;
    tensors.push({ name, type: 7, dims: [sizes.length], raw: new Uint8Array(BigInt64Array.from(sizes.map(BigInt)).buffer) });
    return name;
  };
  const norm = (x: string, id: string) =>
    run('LayerNormalization', [x, weight(`${id}.weight`, hidden), weight(`${id}.bias`, hidden)]);
  const linear = (x: string, id: string, input: number, output: number) =>
    run('Add', [weight(`${id}.bias`, output), run('MatMul', [x, weight(`${id}.weight`, input, output)])]);
  const split = (x: string, perm: number[]) =>
    run('Transpose', [run('Reshape', [x, shape(0, 0, heads, hidden / heads)])], { perm });
  const word = run('Gather', [weight('bert.embeddings.word_embeddings.weight', 20, hidden), 'input_ids']);
  const type = run('Gather', [weight('bert.embeddings.token_type_embeddings.weight', 2, hidden), 'token_type_ids']);
  let x = norm(run('Add', [word, type]), 'bert.embeddings.LayerNorm');
  for (let layer = 0; layer < layers; layer++) {
    const id = `bert.encoder.layer.${layer}`;
    const query = split(linear(x, `${id}.attention.self.query`, hidden, hidden), [0, 2, 1, 3]);
    const key = split(linear(x, `${id}.attention.self.key`, hidden, hidden), [0, 2, 3, 1]);
    const value = split(linear(x, `${id}.attention.self.value`, hidden, hidden), [0, 2, 1, 3]);
    const scores = run('Softmax', [run('Div', [run('MatMul', [query, key]), weight(`scale${layer}`)])], { axis: -1 });
    const context = run('Transpose', [run('MatMul', [scores, value])], { perm: [0, 2, 1, 3] });
    const joined = run('Reshape', [context, shape(0, 0, hidden)]);
    x = norm(run('Add', [linear(joined, `${id}.attention.output.dense`, hidden, hidden), x]), `${id}.attention.output.LayerNorm`);
    const up = run('Gelu', [linear(x, `${id}.intermediate.dense`, hidden, forward)]);
    x = norm(run('Add', [linear(up, `${id}.output.dense`, forward, hidden), x]), `${id}.output.LayerNorm`);
  }
  const first = run('Gather', [x, shape(0)], { axis: 1 });
  const pooled = run('Tanh', [linear(run('Squeeze', [first]), 'bert.pooler.dense', hidden, hidden)]);
  run('Gemm', [pooled, weight('classifier.weight', 3, hidden), weight('classifier.bias', 3)], { transB: 1 }, 'logits');
  return { nodes, tensors, inputs: ['input_ids', 'token_type_ids'], outputs: ['logits'] };
}

function attribute(name: string, value: number | number[]): Uint8Array {
  if (Array.isArray(value)) return field(5, field(1, name), field(8, ...value.map(each => varint(each))), integer(20, 7));
  return field(5, field(1, name), integer(3, value), integer(20, 2));
}

function graphFields({ nodes, tensors, inputs, outputs }: GraphSpec): Uint8Array[] {
  return [
    ...nodes.map(each =>
      field(
        1,
        node(
          each.op,
          [],
          [],
          new Uint8Array(
            Buffer.concat([...each.inputs.map(name => field(1, name)), ...each.outputs.map(name => field(2, name))]),
          ),
          ...Object.entries(each.attributes).map(([name, value]) => attribute(name, value)),
          ...(each.body ? [field(5, field(1, 'body'), field(6, ...graphFields(each.body)), integer(20, 5))] : []),
        ),
      ),
    ),
    ...tensors.map(tensor => field(5, rawTensor(tensor.name, tensor.type, tensor.dims, tensor.raw))),
    ...inputs.map(name => field(11, value(name, 'batch', 'sequence'))),
    ...outputs.map(name => field(12, value(name, 'batch', 3))),
  ];
}

export const onnxFile = (graph: GraphSpec): Uint8Array => model(new Uint8Array(Buffer.concat(graphFields(graph))));

export interface EntrySpec {
  /** As it stands in the header: escapes may name what UTF-8 cannot. */
  name: string;
  dtype: string;
  shape: number[];
  /** undefined: as many as dtype and shape ask for. */
  byteLength?: number;
}

/** The checkpoint of the same model. */
export const bertEntries = (): EntrySpec[] =>
  bertGraph().tensors.flatMap(({ name, type, dims }) =>
    type === 1 && dims.length > 0
      ? [{ name, dtype: 'F32', shape: dims.length === 2 && !name.includes('embeddings') ? [dims[1]!, dims[0]!] : dims }]
      : [],
  );

const widths: Readonly<Record<string, number>> = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I8: 1, U8: 1, BOOL: 1, F8_E4M3: 1 };

/** Names are written with JSON's escapes, so that lone surrogates are as well. */
export function checkpointFile(entries: readonly EntrySpec[]): Uint8Array {
  let at = 0;
  const parts = entries.map(({ name, dtype, shape, byteLength }) => {
    const length = byteLength ?? (widths[dtype] ?? 1) * shape.reduce((a, b) => a * b, 1);
    const start = at;
    at += length;
    return `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [start, at] })}`;
  });
  const json = Buffer.from(`{${parts.join(',')}}`);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return join(
    length,
    json,
    new Uint8Array(at < 1e8 ? at : 0).map((_, i) => (i * 37) % 251),
  );
}
