import assert from 'node:assert/strict';
import { test } from 'node:test';
import { summaryJson } from '../../src/cli/summary-json.ts';
import type { HeadSize, Summary, TreeNode } from '../../src/core/report/tree.ts';

const node = (id: string, children?: readonly TreeNode[]): TreeNode => ({
  id,
  kind: 'other',
  title: `“${id}” "tree":null,"heads":[]`,
  parameters: 1,
  byteLength: 4,
  ...(children && { children }),
});
const nodes = (count: number): TreeNode[] => Array.from({ length: count }, (_, index) => node(`n${index}`));
const heads = (count: number): HeadSize[] =>
  Array.from({ length: count }, (_, head) => ({ layer: 0, head, parameters: 1, byteLength: 4 }));

const summary = (tree: TreeNode, count: number): Summary => ({
  version: 1,
  file: { name: 'a"tree":null,"heads":[]', format: 'onnx', byteLength: 4, parts: [] },
  model: {} as Summary['model'],
  tree,
  heads: heads(count),
  warnings: [{ code: 'c', message: 'm', sentence: { text: 'm' } }],
});

test('the pieces of a summary are JSON.stringify of it, whatever its tree and its names', () => {
  const shapes = [
    node('alone'),
    node('empty', []),
    node('few', nodes(3)),
    node('many', nodes(1000)),
    node('mixed', [...nodes(300), node('inner', nodes(257)), ...nodes(2), node('deep', [node('deeper', nodes(600))])]),
  ];
  for (const shape of shapes)
    for (const count of [0, 1, 600]) {
      const given = summary(shape, count);
      assert.equal([...summaryJson(given)].join(''), `${JSON.stringify(given)}\n`);
    }
});

test('no piece of a summary of 20,000 rows is longer than a megabyte', () => {
  for (const piece of summaryJson(summary(node('many', nodes(20_000)), 5000))) assert.ok(piece.length < 1e6);
});
