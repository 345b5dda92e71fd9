import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Summary } from '../../../src/core/report/tree.ts';
import { indexModel, organs } from '../../../webview/layout/model-index.ts';
import { type ModelRow, modelRows, type RowOptions } from '../../../webview/layout/model-rows.ts';
import { minilm, notBert, pruned } from '../summaries.ts';

const options: RowOptions = {
  open: new Set(),
  closed: new Set(),
  sorting: null,
  filter: '',
  measure: 'parameters',
  title: entry => entry.node.title,
  compare: (a, b) => a.localeCompare(b, 'en'),
};
const rowsOf = (summary: Summary, some: Partial<RowOptions>, kept = new Map<string, ModelRow>()) =>
  modelRows(
    indexModel(summary, node => node.title),
    { ...options, ...some },
    kept,
  );
const ids = (rows: readonly ModelRow[]): string[] => rows.map(row => row.id);

test('closed, a model is its top parts, in the order of the model', () => {
  const { rows, matches } = rowsOf(minilm(), {});
  assert.deepEqual(ids(rows), ['embeddings', 'encoder', 'pooler', 'embeddings.position_ids', 'file.header']);
  assert.deepEqual(
    rows.map(({ level, posinset, setsize, expanded }) => [level, posinset, setsize, expanded]),
    [
      [1, 1, 5, false],
      [1, 2, 5, false],
      [1, 3, 5, false],
      [1, 4, 5, undefined],
      [1, 5, 5, undefined],
    ],
  );
  assert.equal(matches, 104);
});

test('the segments of every row add up to it, for both measures', () => {
  const index = indexModel(minilm(), node => node.title);
  for (const entry of index.byId.values())
    for (const measure of ['parameters', 'byteLength'] as const)
      assert.equal(
        organs.reduce((sum, organ) => sum + entry.parts[measure][organ], 0),
        entry.node[measure],
        entry.node.id,
      );
  assert.equal(index.byId.get('encoder.layer.2.attention.output.dense.bias')!.organ, 'attention');
  assert.equal(index.byId.get('encoder.layer.2')!.organ, undefined);
  assert.equal(index.byId.get('encoder.layer.2.output.LayerNorm')!.layer, 2);
});

test('a filter keeps rows that have all words, and their ancestors', () => {
  const { rows, matches } = rowsOf(minilm(), { filter: 'layer.4 QUERY' });
  assert.deepEqual(ids(rows), [
    'encoder',
    'encoder.layer.4',
    'encoder.layer.4.attention',
    'encoder.layer.4.attention.self.query',
    'encoder.layer.4.attention.self.query.weight',
    'encoder.layer.4.attention.self.query.bias',
  ]);
  assert.equal(matches, 2);
});

test('a filter finds types and shapes, however the shape is written', () => {
  for (const filter of ['1536x384', '1536 × 384', '[1536,384]']) assert.equal(rowsOf(minilm(), { filter }).matches, 6, filter);
  assert.equal(rowsOf(minilm(), { filter: 'int64' }).matches, 1);
  assert.deepEqual(rowsOf(minilm(), { filter: 'no such thing' }), { rows: [], matches: 0 });
});

test('siblings sort by size and stay under their parents', () => {
  const sorting = { key: 'parameters', descending: true };
  const { rows } = rowsOf(pruned(), { sorting, open: new Set(['encoder']) });
  const layers = rows.filter(row => row.level === 2).map(row => row.entry.node.parameters);
  assert.deepEqual(
    layers,
    layers.toSorted((a, b) => b - a),
  );
  assert.equal(rows[1]!.id, 'encoder');
});

test('every column sorts, up and down', () => {
  for (const key of ['name', 'share', 'percent', 'parameters', 'bytes', 'shape', 'type']) {
    const up = ids(rowsOf(notBert(), { sorting: { key, descending: false } }).rows);
    const down = ids(rowsOf(notBert(), { sorting: { key, descending: true } }).rows);
    assert.notDeepEqual(up, down, key);
  }
});

test('rows that did not change are the same objects, so that they are not drawn again', () => {
  const index = indexModel(minilm(), node => node.title);
  const kept = new Map<string, ModelRow>();
  const before = modelRows(index, options, kept).rows;
  const after = modelRows(index, { ...options, open: new Set(['encoder']) }, kept).rows;
  assert.equal(before[0], after[0]);
  assert.notEqual(before[1], after[1]);
});
