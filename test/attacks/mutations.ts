import { pick, type Random } from './random.ts';
import type { EntrySpec, GraphSpec, NodeSpec, TensorSpec } from './specimen.ts';

/** Names that other programs stumble over. */
export const hostileNames: readonly string[] = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '',
  ' ',
  '.',
  '..',
  '/',
  '../../etc/passwd',
  'a\0b',
  '\u202Egnp.exe',
  '<img src=x onerror=alert(1)>',
  '{name}',
  '$&$1',
  '\u0007\u001B[31m',
  '\u{1F600}',
  'file.header',
  'model',
  'encoder',
  'pooler',
  'pooler.dense.weight',
  'bert.encoder.layer.0.attention.self.query.weight',
  'bert.encoder.layer.99999999999999999999.attention.self.query.weight',
  'bert.encoder.layer.-1.attention.self.query.weight',
  'distilbert.transformer.layer.0.constructor.weight',
  'other/bert.pooler.dense.weight',
];

/** Names of up to a megabyte that a careless pattern takes a day to look at. */
export const longNames: readonly string[] = [
  'a'.repeat(1e6),
  '.'.repeat(1e6),
  '_'.repeat(1e6),
  '/'.repeat(1e6),
  '0'.repeat(1e6),
  'a.'.repeat(5e5),
  'a_'.repeat(5e5),
  '.pooler'.repeat(140_000),
  `${'.pooler'.repeat(140_000)}!`,
  `${'_DequantizeLinear'.repeat(60)}\n`,
  `${'_DequantizeLinear'.repeat(60_000)}\n`,
  `${'_quantized'.repeat(100_000)}!`,
  `${'.MatMul'.repeat(140_000)}\n`,
  `encoder.layer.${'0'.repeat(1e6)}.attention.self.query.weight`,
  `${'encoder.layer.0.'.repeat(60_000)}attention.self.query.weight`,
  `${'model.layers.0.'.repeat(60_000)}!`,
  `${'h.0.'.repeat(200_000)}attn`,
  `${'bert.'.repeat(200_000)}.weight`,
  `${"'".repeat(1e6)}`,
  `${'visual'.repeat(160_000)}\n`,
];

/** A size that a shape should not have: sometimes zero, sometimes more than there is. */
const oddSizes: readonly number[] = [0, 1, 2, 3, 7, 64, 2 ** 31, 2 ** 40, 2 ** 53 - 1];
const oddTypes: readonly number[] = [0, 2, 3, 7, 8, 9, 10, 11, 14, 15, 16, 17, 21, 22, 26, 27, 99];
const operators =
  'MatMul Gemm Add Mul Sub Div Softmax Reshape Transpose Gather LayerNormalization Attention MultiHeadAttention EmbedLayerNormalization SkipLayerNormalization MatMulInteger QLinearMatMul MatMulNBits GatherBlockQuantized MatMulBnb4 DequantizeLinear QuantizeLinear DynamicQuantizeLinear Constant Identity Cast Concat Slice Split Squeeze Einsum ReduceMean Where If Loop QAttention FusedMatMul Gelu BiasGelu FastGelu DynamicQuantizeMatMul'.split(
    ' ',
  );

const place = (random: Random, list: readonly unknown[]): number => random(list.length);
const values = (graph: GraphSpec): string[] => [
  ...graph.inputs,
  ...graph.tensors.map(tensor => tensor.name),
  ...graph.nodes.flatMap(node => node.outputs),
];

const copy = (node: NodeSpec): NodeSpec => ({
  ...node,
  inputs: [...node.inputs],
  outputs: [...node.outputs],
  attributes: { ...node.attributes },
});

type GraphMutation = (graph: GraphSpec, random: Random) => void;

/** Each does one thing to a graph that is whole enough to be done it to. */
const graphMutations: Readonly<Record<string, GraphMutation>> = {
  'two nodes change places': ({ nodes }, random) => {
    const [a, b] = [place(random, nodes), place(random, nodes)];
    [nodes[a], nodes[b]] = [nodes[b]!, nodes[a]!];
  },
  'all nodes are turned round': ({ nodes }) => void nodes.reverse(),
  'a node is there twice': ({ nodes }, random) => void nodes.splice(place(random, nodes), 0, copy(pick(random, nodes))),
  'a node is gone': ({ nodes }, random) => void nodes.splice(place(random, nodes), 1),
  'a run of nodes is gone': ({ nodes }, random) => void nodes.splice(place(random, nodes), 1 + random(12)),
  'a node is another operator': ({ nodes }, random) => {
    pick(random, nodes).op = pick(random, operators);
  },
  'every operator of a kind is another': ({ nodes }, random) => {
    const [from, to] = [pick(random, nodes).op, pick(random, operators)];
    for (const node of nodes) if (node.op === from) node.op = to;
  },
  'an input is another value': (graph, random) => {
    const { inputs } = pick(random, graph.nodes);
    if (inputs.length > 0) inputs[place(random, inputs)] = pick(random, values(graph));
  },
  'an input is missing': ({ nodes }, random) => {
    const { inputs } = pick(random, nodes);
    if (inputs.length > 0) inputs[place(random, inputs)] = '';
  },
  'no inputs': ({ nodes }, random) => {
    pick(random, nodes).inputs = [];
  },
  'no outputs': ({ nodes }, random) => {
    pick(random, nodes).outputs = [];
  },
  'many inputs': (graph, random) =>
    void pick(random, graph.nodes).inputs.push(...Array.from({ length: 200 }, () => pick(random, values(graph)))),
  'a node reads itself': ({ nodes }, random) => {
    const node = pick(random, nodes);
    if (node.outputs[0] !== undefined) node.inputs[place(random, node.inputs)] = node.outputs[0];
  },
  'a cycle': ({ nodes }, random) => {
    const [a, b] = [pick(random, nodes), pick(random, nodes)];
    if (a.outputs[0] !== undefined) b.inputs.push(a.outputs[0]);
    if (b.outputs[0] !== undefined) a.inputs.unshift(b.outputs[0]);
  },
  'two nodes make one value': ({ nodes }, random) => {
    pick(random, nodes).outputs = [...pick(random, nodes).outputs];
  },
  'an output is an input of the graph': ({ nodes, inputs }, random) => {
    if (inputs.length > 0) pick(random, nodes).outputs.unshift(pick(random, inputs));
  },
  'an output is a tensor': ({ nodes, tensors }, random) => {
    if (tensors.length > 0) pick(random, nodes).outputs[0] = pick(random, tensors).name;
  },
  'one tensor in every organ': (graph, random) => {
    const [tensor, { dims }] = [pick(random, graph.tensors), pick(random, graph.tensors)];
    const alike = new Set(graph.tensors.filter(each => each.dims.length === dims.length).map(each => each.name));
    for (const node of graph.nodes) node.inputs = node.inputs.map(input => (alike.has(input) ? tensor.name : input));
  },
  'an attribute is odd': ({ nodes }, random) => {
    const name = pick(random, [
      'axis',
      'perm',
      'transB',
      'num_heads',
      'q_num_heads',
      'N',
      'K',
      'bits',
      'block_size',
      'to',
      'keepdims',
    ]);
    const value = pick<number | number[]>(random, [0, -1, 3, 1e9, 2 ** 53, [], [0], [0, 0, 0, 0], [5, 4, 3], [-1, 2 ** 40]]);
    pick(random, nodes).attributes[name] = value;
  },
  'an attribute of every node is odd': ({ nodes }, random) => {
    const value = pick<number | number[]>(random, [0, -1, 2 ** 30, 2 ** 53]);
    const name = pick(random, ['num_heads', 'q_num_heads', 'kv_num_heads', 'axis', 'N', 'K', 'bits']);
    for (const node of nodes) node.attributes[name] = value;
  },
  'the graph within a node': (graph, random) => {
    const inner = { ...graph, nodes: graph.nodes.slice(0, 3).map(copy), tensors: graph.tensors.slice(0, 3) };
    graph.nodes.push({
      op: pick(random, ['If', 'Loop', 'Scan', 'Add']),
      inputs: ['input_ids'],
      outputs: ['inner'],
      attributes: {},
      body: inner,
    });
  },
  'a graph within a node reads what the node makes': ({ nodes }) => {
    const body = {
      nodes: [{ op: 'Add', inputs: ['self', 'self'], outputs: ['self'], attributes: {} }],
      tensors: [],
      inputs: ['self'],
      outputs: ['self'],
    };
    nodes.push({ op: 'Loop', inputs: ['self'], outputs: ['self'], attributes: {}, body });
  },
  'no inputs of the graph': graph => {
    graph.inputs = [];
  },
  'no outputs of the graph': graph => {
    graph.outputs = [];
  },
  'every value is an output': graph => {
    graph.outputs = values(graph);
  },
  'a shape says something else': ({ tensors }, random) => {
    const shapes = tensors.filter(tensor => tensor.type === 7);
    if (shapes.length === 0) return;
    const tensor = pick(random, shapes);
    const sizes = tensor.dims.map(() => BigInt(pick(random, [...oddSizes, -1, -2])));
    tensor.dims = [sizes.length];
    tensor.raw = new Uint8Array(BigInt64Array.from(sizes).buffer);
  },
};

type TensorMutation = (tensors: TensorSpec[], random: Random) => void;
const tensorMutations: Readonly<Record<string, TensorMutation>> = {
  'a tensor is gone': (tensors, random) => void tensors.splice(place(random, tensors), 1),
  'a tensor is there twice': (tensors, random) => void tensors.push({ ...pick(random, tensors) }),
  'two tensors change names': (tensors, random) => {
    const [a, b] = [pick(random, tensors), pick(random, tensors)];
    [a.name, b.name] = [b.name, a.name];
  },
  'a tensor has another shape of as many elements': (tensors, random) => {
    const tensor = pick(random, tensors);
    const count = tensor.dims.reduce((a, b) => a * b, 1);
    tensor.dims = pick(random, [[count], [1, count], [count, 1], [1, 1, count], [2, count / 2].filter(Number.isInteger)]);
  },
  'a tensor is empty': (tensors, random) => {
    const tensor = pick(random, tensors);
    tensor.dims = [...tensor.dims, 0];
    tensor.raw = new Uint8Array(0);
  },
  'every tensor is empty': tensors => {
    for (const tensor of tensors)
      [tensor.dims, tensor.raw] = [tensor.dims.map(() => 0), new Uint8Array(tensor.dims.length > 0 ? 0 : 4)];
  },
  'a tensor has an odd size and no data': (tensors, random) => {
    const tensor = pick(random, tensors);
    if (tensor.dims.length > 0) tensor.dims[place(random, tensor.dims)] = pick(random, oddSizes);
    tensor.raw = new Uint8Array(0);
  },
  'no tensor has data': tensors => {
    for (const tensor of tensors) tensor.raw = new Uint8Array(0);
  },
  'a tensor of another type': (tensors, random) => {
    pick(random, tensors).type = pick(random, oddTypes);
  },
  'every tensor of another type, without data': (tensors, random) => {
    const type = pick(random, oddTypes);
    for (const tensor of tensors) [tensor.type, tensor.raw] = [type, new Uint8Array(0)];
  },
  'every tensor of eight bits': (tensors, random) => {
    const type = pick(random, [2, 3]);
    for (const tensor of tensors)
      [tensor.type, tensor.raw] = [
        type,
        new Uint8Array(
          Math.min(
            4096,
            tensor.dims.reduce((a, b) => a * b, 1),
          ),
        ),
      ];
  },
};

/** One to four changes to a graph, and what they were. */
export function mutateGraph(graph: GraphSpec, random: Random): string {
  const done: string[] = [];
  for (let count = 1 + random(4); count > 0; count--) {
    if (graph.nodes.length === 0 || graph.tensors.length === 0) break;
    const kind = random(10);
    if (kind < 6) {
      const [what, mutate] = pick(random, Object.entries(graphMutations));
      mutate(graph, random);
      done.push(what);
    } else if (kind < 9) {
      const [what, mutate] = pick(random, Object.entries(tensorMutations));
      mutate(graph.tensors, random);
      done.push(what);
    } else done.push(rename(graph, random));
  }
  return done.join('; ');
}

/** A value gets a hostile name, wherever it is used. */
function rename(graph: GraphSpec, random: Random): string {
  const [from, to] = [pick(random, values(graph)), pick(random, hostileNames)];
  const change = (name: string) => (name === from ? to : name);
  for (const node of graph.nodes) [node.inputs, node.outputs] = [node.inputs.map(change), node.outputs.map(change)];
  for (const tensor of graph.tensors) tensor.name = change(tensor.name);
  [graph.inputs, graph.outputs] = [graph.inputs.map(change), graph.outputs.map(change)];
  return `${from} is called ${JSON.stringify(to)}`;
}

const words = ['F64', 'F32', 'F16', 'BF16', 'I64', 'I8', 'U8', 'BOOL', 'F8_E4M3', 'F3', ''];
type EntryMutation = (entries: EntrySpec[], random: Random) => void;
const entryMutations: Readonly<Record<string, EntryMutation>> = {
  'a tensor is gone': (entries, random) => void entries.splice(place(random, entries), 1),
  'a tensor is there twice': (entries, random) => void entries.push({ ...pick(random, entries) }),
  'two tensors change names': (entries, random) => {
    const [a, b] = [pick(random, entries), pick(random, entries)];
    [a.name, b.name] = [b.name, a.name];
  },
  'a hostile name': (entries, random) => {
    pick(random, entries).name = pick(random, [...hostileNames, '\uD800', 'x\uDC00y']);
  },
  'a hostile name below another': (entries, random) => {
    const entry = pick(random, entries);
    entry.name = `${entry.name}.${pick(random, hostileNames)}.weight`;
  },
  'another type': (entries, random) => {
    pick(random, entries).dtype = pick(random, words);
  },
  'every tensor of another type': (entries, random) => {
    const dtype = pick(random, words);
    for (const entry of entries) entry.dtype = dtype;
  },
  'another shape': (entries, random) => {
    const entry = pick(random, entries);
    const count = entry.shape.reduce((a, b) => a * b, 1);
    entry.shape = pick(random, [[count], [count, 1], [1, count], [], [0], [0, count], [...entry.shape, 0], [...entry.shape, 2]]);
  },
  'every tensor is empty': entries => {
    for (const entry of entries) entry.shape = entry.shape.map(() => 0);
  },
  'a size that is not there': (entries, random) => {
    const entry = pick(random, entries);
    entry.byteLength = entry.shape.reduce((a, b) => a * b, 4);
    entry.shape = entry.shape.map(() => pick(random, oddSizes));
  },
  'layers are numbered anew': (entries, random) => {
    const to = pick(random, ['7', '007', '99999999999999999999', '1e3', '-1', 'x']);
    for (const entry of entries) entry.name = entry.name.replace('layer.1.', `layer.${to}.`);
  },
};

export function mutateEntries(entries: EntrySpec[], random: Random): string {
  const done: string[] = [];
  for (let count = 1 + random(4); count > 0 && entries.length > 0; count--) {
    const [what, mutate] = pick(random, Object.entries(entryMutations));
    mutate(entries, random);
    done.push(what);
  }
  return done.join('; ');
}

const keys =
  'model_type hidden_size num_attention_heads num_hidden_layers num_hidden_groups inner_group_num head_dim attention_head_size intermediate_size vocab_size max_position_embeddings embedding_size architectures quantization_config n_heads dim n_layers num_key_value_heads hidden_act id2label problem_type layers layer_types tie_word_embeddings'.split(
    ' ',
  );
const oddValues = [
  '"x"',
  '""',
  '-1',
  '0',
  '0.5',
  '1',
  '3',
  '4',
  '7',
  '16777216',
  '1073741824',
  '1e9',
  '1e300',
  '-0',
  'null',
  'true',
  '[]',
  '[1e9]',
  '["BertModel",null,{},7]',
  '{}',
  '{"__proto__":{"x":1}}',
  '"bert"',
  '"albert"',
  '"distilbert"',
  '"roberta"',
  '"deberta-v2"',
  '"modernbert"',
  '"mobilebert"',
  '"mpnet"',
  '"convbert"',
  '"nomic_bert"',
  '"__proto__"',
  '"constructor"',
  '"<b>"',
  '{"quant_method":"gptq","bits":1e9,"group_size":-3}',
  '{"quant_method":7,"config_groups":[null]}',
  '{"quant_method":"compressed-tensors","config_groups":{"x":{"weights":null}}}',
  '{"quant_method":"awq","bits":0}',
  '{"quant_method":"bitsandbytes","load_in_4bit":"yes"}',
]; // prettier-ignore

/** A config.json that says nothing true: most of its keys are right, their values are not. */
export function oddConfig(random: Random): string {
  if (random(20) === 0)
    return pick(random, [
      '',
      '[]',
      'null',
      '7',
      '{',
      `${'['.repeat(1e5)}`,
      `${'{"a":'.repeat(1e5)}1${'}'.repeat(1e5)}`,
      '\uFEFF{}',
    ]);
  const chosen = new Map([
    ['model_type', '"bert"'],
    ['hidden_size', '8'],
    ['num_attention_heads', '2'],
  ]);
  for (let count = 1 + random(4); count > 0; count--) chosen.set(pick(random, keys), pick(random, oddValues));
  if (random(10) === 0) chosen.set('__proto__', '{"model_type":"bert"}');
  return `{${[...chosen].map(([key, value]) => `"${key}":${value}`).join(',')}}`;
}
