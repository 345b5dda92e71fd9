import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attribute, Graph, Node } from '../../../src/core/model/graph.ts';
import { newNode } from '../../../src/core/model/graph-edit.ts';
import { cannotRaise, raised } from '../../../src/core/passes/quantize/int4-opset.ts';

const graphOf = (nodes: readonly Node[], opset: number): Graph => ({
  name: 'g',
  inputs: [{ name: 'x' }],
  outputs: [{ name: 'y' }],
  nodes,
  initializers: [],
  opsets: new Map([['', opset]]),
  irVersion: 8,
  producer: '',
  functions: [],
});
const axes: Attribute = { type: 'ints', value: [-1] };

test('axes of reductions become an input, and Split says how many', () => {
  const graph = graphOf([newNode('ReduceMean', ['x'], ['m'], { attributes: { axes } }), newNode('Split', ['m'], ['y', 'z'])], 17);
  assert.equal(cannotRaise(graph, 21), undefined);
  const asked: (readonly number[])[] = [];
  const made = raised(graph, 21, values => {
    asked.push(values);
    return 'axes';
  });
  assert.deepEqual(asked, [[-1]]);
  assert.deepEqual(made.nodes[0]!.inputs, ['x', 'axes']);
  assert.equal(made.nodes[0]!.attributes.has('axes'), false);
  assert.deepEqual(made.nodes[1]!.attributes.get('num_outputs'), { type: 'int', value: 2 });
  assert.deepEqual([made.opsets.get(''), made.irVersion], [21, 10]);
});

test('a graph that is new enough stays the same object; too old ones and changed operators stand against it', () => {
  const plain = graphOf([newNode('Add', ['x', 'x'], ['y'])], 21);
  assert.equal(
    raised(plain, 21, () => ''),
    plain,
  );
  assert.equal(cannotRaise(graphOf([newNode('Softmax', ['x'], ['y'])], 12), 21), 'old');
  assert.deepEqual(cannotRaise(graphOf([newNode('GridSample', ['x'], ['y'])], 17), 21), { operator: 'GridSample' });
  const inner = graphOf([newNode('ReduceMax', ['x'], ['y'], { attributes: { axes } })], 17);
  const branch = newNode('If', ['x'], ['y'], { attributes: { then_branch: { type: 'graph', value: inner } } });
  assert.deepEqual(cannotRaise(graphOf([branch], 17), 21), { operator: 'ReduceMax' });
});
