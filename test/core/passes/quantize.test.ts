import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Anatomy } from '../../../src/core/anatomy/anatomy.ts';
import { say } from '../../../src/core/errors.ts';
import type { Attribute, Graph, Node } from '../../../src/core/model/graph.ts';
import type { Model } from '../../../src/core/model/model.ts';
import { held } from '../../../src/core/passes/computed.ts';
import { intOf } from '../../../src/core/passes/uses.ts';
import { apply } from '../../../src/core/rewrite/apply.ts';
import type { DType } from '../../../src/core/tensor/dtype.ts';
import type { Tensor } from '../../../src/core/tensor/tensor.ts';
import { planOf, weightEdits } from './fixtures.ts';

const int = (value: number): Attribute => ({ type: 'int', value });

function node(opType: string, inputs: string[], output: string, attributes: Record<string, Attribute> = {}): Node {
  return {
    opType,
    domain: '',
    name: output,
    inputs,
    outputs: [output],
    attributes: new Map(Object.entries(attributes)),
    metadata: {},
  };
}

const widths: Partial<Record<DType, number>> = { fp64: 8, fp32: 4, fp16: 2, int8: 1 };
const matrix = (name: string, rows = 64, columns = 64, dtype: DType = 'fp32'): Tensor =>
  held(name, dtype, [rows, columns], new Uint8Array(rows * columns * widths[dtype]!));

/** A graph of these nodes, with x as its input and the last node's output as its own. */
function modelOf(nodes: readonly Node[], tensors: readonly Tensor[], opset = 17): Model & { readonly graph: Graph } {
  const graph: Graph = {
    name: 'g',
    inputs: [{ name: 'x' }],
    outputs: [{ name: nodes.at(-1)!.outputs[0]! }],
    nodes,
    initializers: tensors.map(tensor => tensor.name),
    opsets: new Map([['', opset]]),
    irVersion: 8,
    producer: '',
    functions: [],
  };
  const byteLength = tensors.reduce((sum, tensor) => sum + tensor.byteLength, 0);
  return {
    format: 'onnx',
    name: 'hand.onnx',
    byteLength,
    parts: [],
    tensors: new Map(tensors.map(tensor => [tensor.name, tensor])),
    graph,
    config: {},
    metadata: {},
    complete: true,
    warnings: [],
  };
}

const anatomy: Anatomy = {
  family: 'unknown',
  task: 'unknown',
  hidden: 0,
  vocabulary: 0,
  positions: 0,
  layers: [],
  tables: [],
  top: [],
  linears: [],
  unclaimed: [],
  copies: new Map(),
  buffers: [],
};

const plan = (model: Model, options = {}) => planOf({ model, anatomy }, options);

/** The reason each target was left alone for, and the targets that were not. */
async function outcome(model: Model, options = {}): Promise<Record<string, string>> {
  const planned = await plan(model, options);
  const { skipped } = planned;
  return Object.fromEntries([
    ...skipped.map(({ target, reason }) => [target, say(reason)]),
    ...weightEdits(planned).map(edit => [edit.target.id, 'quantized']),
  ]);
}

test('MatMul, Gemm, a weight behind Transpose or Identity, and a Gather are quantized', async () => {
  const nodes = [
    node('MatMul', ['x', 'a'], '1'),
    node('Gemm', ['1', 'b'], '2', { transB: int(1) }),
    node('Transpose', ['c'], 'ct'),
    node('Identity', ['ct'], 'ci'),
    node('MatMul', ['2', 'ci'], '3'),
    node('Gather', ['d', '3'], '4'),
  ];
  const model = modelOf(
    nodes,
    ['a', 'b', 'c', 'd'].map(name => matrix(name)),
  );
  assert.deepEqual(await outcome(model), { a: 'quantized', b: 'quantized', c: 'quantized', d: 'quantized' });
  const layouts = (await plan(model)).edits.map(edit => edit.kind === 'quantize' && edit.layout);
  assert.deepEqual(layouts, ['stored', 'transposed', 'transposed', 'stored']);
  const after = (await apply({ model, anatomy }, await plan(model))).model.graph!;
  assert.ok(!after.nodes.some(({ opType }) => ['Transpose', 'Identity', 'MatMul', 'Gemm'].includes(opType)));
});

test('what is left alone says why', async () => {
  const nodes = [
    node('MatMul', ['x', 'small'], '1'),
    node('Gemm', ['1', 'scaled'], '2', { alpha: { type: 'float', value: 0.5 } }),
    node('Gemm', ['2', 'turnedInput'], '3', { transA: int(1) }),
    node('MatMul', ['left', '3'], '4'),
    node('MatMul', ['4', 'both'], '5'),
    node('Gemm', ['5', 'both'], '6', { transB: int(1) }),
    node('MatMul', ['6', 'wide'], '7'),
    node('Conv', ['7', 'kernel'], '8'),
    node('Gather', ['columns', '8'], '9', { axis: int(1) }),
    node('Gather', ['looked', '9'], '10'),
    node('MatMul', ['10', 'looked'], '11'),
    node('If', ['11'], '12', { then_branch: { type: 'graph', value: inner('captured') } }),
    node('MatMul', ['12', 'captured'], '13'),
  ];
  const wide = matrix('wide', 64, 64, 'fp64');
  const names = ['scaled', 'turnedInput', 'left', 'both', 'columns', 'looked', 'captured', 'unread'];
  const kernel = held('kernel', 'fp32', [64, 8, 8], new Float32Array(4096));
  const model = modelOf(nodes, [matrix('small', 8, 8), ...names.map(name => matrix(name)), wide, kernel]);
  assert.deepEqual(await outcome(model), {
    small: 'Too small to gain: 8 bits would save 0 bytes of the file.',
    scaled: 'Gemm reads it, and needs it as it is.',
    turnedInput: 'Gemm reads it, and needs it as it is.',
    left: 'MatMul reads it, and needs it as it is.',
    both: 'It is multiplied both as it lies and transposed.',
    columns: 'Gather reads it, and needs it as it is.',
    looked: 'Its rows are looked up and its columns multiplied: no one scale serves both.',
    captured: 'If reads it, and needs it as it is.',
    unread: 'No MatMul, Gemm or Gather reads it.',
    wide: 'It is fp64, which the integer operators do not take.',
    kernel: 'It has 3 axes; only matrices are quantized.',
  });
});

/** A subgraph that reads a value from outside. */
const inner = (name: string): Graph => ({
  ...modelOf([node('Identity', [name], 'out')], []).graph,
  inputs: [],
});

test('include and exclude choose by id, and a pattern that names nothing is told', async () => {
  const model = modelOf([node('MatMul', ['x', 'a.w'], '1'), node('MatMul', ['1', 'b.w'], '2')], [matrix('a.w'), matrix('b.w')]);
  const left = 'Left out by “include” or “exclude”.';
  assert.deepEqual(await outcome(model, { include: ['a.*'] }), { 'a.w': 'quantized', 'b.w': left });
  assert.deepEqual(await outcome(model, { exclude: ['a', 'c'] }), {
    'a.w': left,
    'b.w': 'quantized',
    c: 'No matrix or table has a name like this.',
  });
});

test('old operators, a model without matrices, and one that is quantized already each get one clear reason', async () => {
  const old = modelOf([node('MatMul', ['x', 'a'], '1')], [matrix('a')], 10);
  assert.match((await outcome(old))['hand.onnx']!, /opset 10; int8 needs opset 11/);
  const empty = modelOf([node('Relu', ['x'], '1')], []);
  assert.deepEqual(await outcome(empty), { 'hand.onnx': 'This model has no floating-point matrices.' });
  const weight = matrix('w', 64, 64, 'int8');
  const quantized = modelOf([node('MatMulInteger', ['x', 'w'], '1')], [weight]);
  const linear = { id: 'q', weight, out: 64, in: 64, transposed: true, form: 'quantized', nodes: [] } as const;
  const { skipped } = await planOf({ model: quantized, anatomy: { ...anatomy, linears: [linear] } }, {});
  assert.deepEqual(
    skipped.map(it => [it.target, say(it.reason)]),
    [['q', 'It is already quantized.']],
  );
});

test('names that exist are not given again', async () => {
  const nodes = [node('MatMul', ['x', 'a'], '1'), node('Relu', ['1'], 'a_quantized'), node('Relu', ['a_quantized'], 'x_low')];
  const model = modelOf(nodes, [matrix('a')]);
  const after = (await apply({ model, anatomy }, await plan(model))).model;
  assert.ok(after.tensors.has('a_quantized_1'));
  assert.ok(after.graph!.nodes.some(it => it.outputs[0] === 'x_low_1'));
});

test('axes of ReduceMin and ReduceMax are an attribute up to opset 17 and an input from 18 on', async () => {
  for (const opset of [11, 17, 18, 21]) {
    const model = modelOf([node('MatMul', ['x', 'a'], '1')], [matrix('a')], opset);
    const { nodes } = (await apply({ model, anatomy }, await plan(model))).model.graph!;
    for (const reduce of nodes.filter(it => it.opType.startsWith('Reduce'))) {
      assert.equal(reduce.inputs.length, opset < 18 ? 1 : 2);
      assert.equal(reduce.attributes.has('axes'), opset < 18);
      assert.equal(intOf(reduce, 'keepdims', 0), 1);
    }
  }
});

test('a weight that was also listed as an input of the graph is gone from there, so that nobody has to feed it', async () => {
  const model = modelOf([node('MatMul', ['x', 'a'], '1')], [matrix('a')]);
  const listed = { ...model, graph: { ...model.graph, inputs: [{ name: 'x' }, { name: 'a' }] } };
  const after = (await apply({ model: listed, anatomy }, await plan(listed))).model;
  assert.deepEqual(
    after.graph!.inputs.map(it => it.name),
    ['x'],
  );
});

test('what nobody read before is left where it is', async () => {
  const nodes = [node('MatMul', ['x', 'a'], '1'), node('Relu', ['x'], 'idle'), node('Relu', ['1'], '2')];
  const model = modelOf(nodes, [matrix('a'), matrix('unread')]);
  const after = (await apply({ model, anatomy }, await plan(model))).model;
  assert.ok(after.tensors.has('unread') && after.graph!.nodes.includes(nodes[1]!));
});
