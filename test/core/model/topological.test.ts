import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Graph, Node } from '../../../src/core/model/graph.ts';
import { newNode } from '../../../src/core/model/graph-edit.ts';
import { topological } from '../../../src/core/model/topological.ts';

const node = (inputs: string, output: string, more: Parameters<typeof newNode>[3] = {}): Node =>
  newNode('Op', inputs.split(' '), [output], more);

test('nodes that are in order come back as the same list', () => {
  const nodes = [node('x', 'a'), node('a x', 'b'), node('', 'c'), node('b c', 'y')];
  assert.equal(topological(nodes), nodes);
});

test('every reader comes behind what it reads, what inner graphs capture included', () => {
  const inner = { name: '', inputs: [], outputs: [], nodes: [node('late', 'z')], initializers: [] } as unknown as Graph;
  const branch = node('x', 'w', { attributes: { then_branch: { type: 'graph', value: inner } } });
  const order = topological([node('b', 'y'), branch, node('a', 'b'), node('y', 'late'), node('x', 'a')]);
  assert.deepEqual(
    order.map(({ outputs }) => outputs[0]),
    ['a', 'b', 'y', 'late', 'w'],
  );
});
