import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Anatomy, linearsIn } from '../../../src/core/anatomy/anatomy.ts';
import { detect } from '../../../src/core/anatomy/detect.ts';
import { say } from '../../../src/core/errors.ts';
import type { Attribute, Graph, LocalFunction, Node } from '../../../src/core/model/graph.ts';
import type { Model } from '../../../src/core/model/model.ts';
import { made, madeGraph, madeNode } from './made-models.ts';
import { fused, isWhole, microsoft, Writer, width } from './writer.ts';

/** One layer around onnxruntime's Attention: every node and tensor of it is in the graph. */
const plain = () =>
  fused((writer, x) =>
    writer.add('Attention', [x, writer.stored([width, 3 * width]), writer.stored([3 * width])], { ...microsoft, num_heads: 2 }),
  ).model;

const facts = ({ layers, tables, unclaimed }: Anatomy) => ({
  layers: layers.map(({ heads, ...layer }) => [
    heads,
    ...linearsIn({ heads, ...layer }).map(({ weight, bias }) => [weight.name, bias?.name]),
  ]),
  tables: tables.map(({ weight }) => weight.name),
  unclaimed,
});

const call = (
  name: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Record<string, number> = {},
): Node => ({
  ...madeNode(name, inputs, '', attributes),
  domain: 'pkg',
  outputs,
});

/** What a run of nodes reads and does not make, in order. */
const readBy = (nodes: readonly Node[]): string[] => {
  const own = new Set(nodes.flatMap(node => node.outputs));
  return [...new Set(nodes.flatMap(node => node.inputs))].filter(name => name !== '' && !own.has(name));
};

/** The nodes [start, end) of a graph as a function, and the graph that calls it. */
function folded(graph: Graph, name: string, start: number, end: number): Graph {
  const nodes = graph.nodes.slice(start, end);
  const others = graph.nodes.filter(node => !nodes.includes(node));
  const wanted = new Set([...others.flatMap(node => node.inputs), ...graph.outputs.map(output => output.name)]);
  const inputs = readBy(nodes);
  const outputs = nodes.flatMap(node => node.outputs).filter(value => wanted.has(value));
  const formal = (value: string) => (value === '' ? '' : `formal ${value}`);
  const inner = nodes.map(node => ({ ...node, inputs: node.inputs.map(formal), outputs: node.outputs.map(formal) }));
  const made: LocalFunction = {
    domain: 'pkg',
    name,
    scope: `pkg::${name}/`,
    inputs: inputs.map(formal),
    outputs: outputs.map(formal),
    nodes: inner,
  };
  return {
    ...graph,
    nodes: [...graph.nodes.slice(0, start), call(name, inputs, outputs), ...graph.nodes.slice(end)],
    functions: [...graph.functions, made],
  };
}

const within = (model: Model, graph: Graph): Model => ({ ...model, graph });

test('functions of the file are looked into, calls of functions by functions too', async () => {
  const model = plain();
  const expected = facts(await detect(model));
  const inner = folded(model.graph!, 'Inner', 1, 4);
  const outer = folded(inner, 'Outer', 1, inner.nodes.length - 1);
  assert.deepEqual(
    outer.nodes.map(node => node.opType),
    ['EmbedLayerNormalization', 'Outer', 'SkipLayerNormalization'],
  );
  for (const graph of [inner, outer]) {
    const found = await detect(within(model, graph));
    assert.deepEqual(facts(found), expected);
    isWhole(within(model, graph), found);
  }
});

test('an attribute of a function is that of the call, or what the function says where the call leaves it out', async () => {
  const model = plain();
  const graph = folded(model.graph!, 'Attend', 1, 2);
  const refers = new Map<string, Attribute>([['num_heads', { type: 'other', refers: 'heads' }]]);
  const [attend] = graph.functions;
  const nodes = attend!.nodes!.map(node => ({ ...node, attributes: refers }));
  const defaults = new Map<string, Attribute>([['heads', { type: 'int', value: 4 }]]);
  const asked = (attributes: Node['attributes']): Graph => ({
    ...graph,
    nodes: graph.nodes.map(node => (node.opType === 'Attend' ? { ...node, attributes } : node)),
    functions: [{ ...attend!, nodes, defaults }],
  });
  const headsOf = async (attributes: Node['attributes']) => (await detect(within(model, asked(attributes)))).layers[0]!.heads;
  assert.equal(await headsOf(new Map()), 4);
  assert.equal(await headsOf(new Map([['heads', { type: 'int', value: 1 }]])), 1);
});

test('constants of a function are found under the names of the file', async () => {
  const model = plain();
  const graph = folded(model.graph!, 'Attend', 1, 2);
  const [attend] = graph.functions;
  const weight = attend!.inputs![1]!;
  const name = `pkg::Attend/${weight}`;
  const tensors = new Map([...model.tensors, [name, made(name, [width, 3 * width])] as const]);
  tensors.delete(weight.replace('formal ', ''));
  const inputs = attend!.inputs!.filter(each => each !== weight);
  const constant = madeNode('Constant', [], weight);
  const functions = [{ ...attend!, inputs, nodes: [constant, ...attend!.nodes!] }];
  const nodes = graph.nodes.map(node =>
    node.opType === 'Attend' ? { ...node, inputs: node.inputs.filter(each => `formal ${each}` !== weight) } : node,
  );
  const { layers, unclaimed } = await detect({ ...model, tensors, graph: { ...graph, nodes, functions } });
  assert.deepEqual([linearsIn(layers[0]!)[0]!.weight.name, unclaimed], [name, []]);
});

test('a function that calls itself is left as it is, and said to be such', async () => {
  const model = plain();
  const graph = folded(model.graph!, 'Layer', 1, model.graph!.nodes.length);
  const [layer] = graph.functions;
  const nodes = [call('Layer', layer!.inputs!, layer!.outputs!)];
  const { notBert } = await detect(within(model, { ...graph, functions: [{ ...layer!, nodes }] }));
  assert.match(say(notBert!), /calls functions defined in the file \(Layer\)/);
});

test('functions that call each other twice, forty deep, are not followed for ever', async () => {
  const writer = new Writer();
  const x = writer.add('Gather', [writer.stored([9, width]), 'input_ids']);
  const functions = Array.from({ length: 40 }, (_, depth): LocalFunction => {
    const once = depth === 39 ? madeNode('Identity', ['a'], 'm') : call(`f${depth + 1}`, ['a'], ['m']);
    const twice = depth === 39 ? madeNode('Identity', ['m'], 'b') : call(`f${depth + 1}`, ['m'], ['b']);
    return { domain: 'pkg', name: `f${depth}`, scope: `pkg::f${depth}/`, inputs: ['a'], outputs: ['b'], nodes: [once, twice] };
  });
  const model = writer.model('y', { functions });
  const { layers } = await detect(within(model, { ...model.graph!, nodes: [...model.graph!.nodes, call('f0', [x], ['y'])] }));
  assert.deepEqual(layers, []);
});

/** The nodes of a graph within the branch of an If; `scope` stands before the tensors that are the branch's own. */
function branched(model: Model, isOwn: boolean): Model {
  const { nodes, outputs } = model.graph!;
  const scope = 'then_branch/';
  const graph = (inner: readonly Node[], output: string, name: string): Attribute => ({
    type: 'graph',
    value: { ...madeGraph(inner, [], [output]), scope: `${name}/` },
  });
  const other = graph([madeNode('Identity', ['input_ids'], 'nothing')], 'nothing', 'else_branch');
  const attributes = new Map([
    ['then_branch', graph(nodes, outputs[0]!.name, 'then_branch')],
    ['else_branch', other],
  ]);
  const node: Node = { ...madeNode('If', ['condition'], 'out'), attributes };
  const moved = [...model.tensors.values()].map(tensor => (isOwn ? { ...tensor, name: scope + tensor.name } : tensor));
  return {
    ...model,
    tensors: new Map(moved.map(tensor => [tensor.name, tensor])),
    graph: madeGraph([node], ['input_ids', 'condition'], ['out']),
  };
}

test('a BERT within the branch of an If is one, whether its tensors are the branch’s own or the graph’s', async () => {
  const model = plain();
  const expected = facts(await detect(model));
  const captured = branched(model, false);
  assert.deepEqual(facts(await detect(captured)), expected);
  const own = branched(model, true);
  const found = await detect(own);
  assert.equal(found.layers.length, 1);
  assert.ok(found.linears.every(({ weight }) => own.tensors.has(weight.name)));
  isWhole(own, found);
});

test('embeddings that an inner graph looks up, and a loop’s carried value, are followed', async () => {
  const model = plain();
  const { nodes } = model.graph!;
  const inner = { ...madeGraph(nodes.slice(0, 1), [], [nodes[0]!.outputs[0]!]), scope: 'then_branch/' };
  const look: Node = {
    ...madeNode('If', ['condition'], nodes[0]!.outputs[0]!),
    attributes: new Map([['then_branch', { type: 'graph', value: inner } as Attribute]]),
  };
  const [start, end] = [nodes[1]!.inputs[0]!, nodes.at(-1)!.outputs[0]!];
  const body = {
    ...madeGraph(
      nodes.slice(1).map(node => ({ ...node, inputs: node.inputs.map(name => (name === start ? 'carried' : name)) })),
      ['iteration', 'goes', 'carried'],
      ['goes', end],
    ),
    scope: 'body/',
  };
  const loop: Node = {
    ...madeNode('Loop', ['count', 'condition', start], 'out'),
    attributes: new Map([['body', { type: 'graph', value: body } as Attribute]]),
  };
  const graph = madeGraph([look, loop], ['input_ids', 'condition', 'count'], ['out']);
  assert.deepEqual(facts(await detect(within(model, graph))), facts(await detect(model)));
});
