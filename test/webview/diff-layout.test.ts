import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Change, ComparisonNode } from '../../src/core/report/comparison.ts';
import { barScale, errorScale, organs, pairBar } from '../../webview/layout/diff-bars.ts';
import { columnsFor } from '../../webview/layout/diff-columns.ts';
import { digest } from '../../webview/layout/diff-digest.ts';
import { leftAlone } from '../../webview/layout/diff-left-alone.ts';
import { nextSort, type Sort } from '../../webview/layout/diff-order.ts';
import { ancestors, listRows, openable, totalTensors } from '../../webview/layout/diff-rows.ts';
import { huge, int8, made } from './diff-comparisons.ts';

const { tree, rows } = int8();
const digests = digest(tree);
const title = (node: ComparisonNode): string => node.title;
const list = (
  query: { filter?: string; changes?: Change[] } = {},
  open: string[] = [],
  sort: Sort | null = null,
  closed: string[] = [],
) =>
  listRows(tree, {
    digest: digests,
    open: new Set(open),
    closed: new Set(closed),
    query: { filter: query.filter ?? '', changes: new Set(query.changes ?? []) },
    sort,
    title,
  });
const ids = (listing: ReturnType<typeof list>): string[] => listing.rows.map(row => row.node.id);

test('closed, the list is the parts of the model in model order, with their place among siblings', () => {
  const listing = list();
  assert.deepEqual(ids(listing), ['embeddings', 'encoder', 'pooler', 'buffers', 'file.header']);
  assert.deepEqual(
    listing.rows.map(({ level, posinset, setsize, expanded }) => [level, posinset, setsize, expanded]),
    [
      [1, 1, 5, false],
      [1, 2, 5, false],
      [1, 3, 5, false],
      [1, 4, 5, false],
      [1, 5, 5, undefined],
    ],
  );
  assert.equal(listing.matched, 143, 'the file header is no tensor');
  assert.equal(totalTensors(tree, digests), rows.length);
});

test('an open row is followed by its children, one level deeper', () => {
  const listing = list({}, ['pooler', 'pooler.dense']);
  const from = ids(listing).indexOf('pooler');
  assert.deepEqual(ids(listing).slice(from + 1, from + 5), [
    'pooler.dense',
    'pooler.dense.weight',
    'pooler.dense.weight_scale',
    'pooler.dense.bias',
  ]);
  assert.deepEqual(
    listing.rows.slice(from, from + 3).map(row => row.level),
    [1, 2, 3],
  );
});

test('a filter by change keeps the rows on the way and renumbers the siblings', () => {
  assert.deepEqual(ids(list({ changes: ['removed'] })), ['buffers']);
  const added = list({ changes: ['added'] }, ['pooler', 'pooler.dense']);
  assert.equal(added.matched, 39);
  const scale = added.rows.find(row => row.node.id === 'pooler.dense.weight_scale');
  assert.deepEqual([scale?.posinset, scale?.setsize], [1, 1]);
  assert.ok(!ids(added).includes('pooler.dense.bias'));
});

test('a filter by words reads names, ids, types and shapes, of a row and of what it lies in', () => {
  assert.equal(
    list({ filter: 'feed-forward down weight_scale' }).matched,
    6,
    'Feed-forward and Down are the names of rows above',
  );
  assert.equal(list({ filter: 'int64' }).matched, 1);
  assert.equal(list({ filter: '1536×384' }).matched, 18, 'weight, scale and bias of six matrices of that shape');
  assert.equal(list({ filter: 'no such thing' }).rows.length, 0);
  assert.equal(list({ filter: 'LAYER.0.attention', changes: ['changed'] }).matched, 4);
});

test('a filter by words opens the way to what it found, not what it found; a row closed by hand stays closed', () => {
  const found = list({ filter: 'layer.2' });
  assert.deepEqual(ids(found), ['encoder', 'encoder.layer.2']);
  assert.equal(found.rows[1]?.expanded, false);
  assert.deepEqual(ids(list({ filter: 'layer.2' }, [], null, ['encoder'])), ['encoder']);
});

test('a column sorts siblings, a second press turns it round, a third gives back model order', () => {
  const first = nextSort(null, 'error');
  assert.deepEqual(first, { key: 'error', direction: 'descending' });
  const second = nextSort(first, 'error');
  assert.deepEqual(second, { key: 'error', direction: 'ascending' });
  assert.equal(nextSort(second, 'error'), null);
  assert.deepEqual(nextSort(second, 'percent'), { key: 'percent', direction: 'ascending' });
});

test('sorting by error puts the branch with the worst matrix first, and rows without one last either way', () => {
  const worst = [...rows].filter(row => row.error).sort((a, b) => b.error!.relative - a.error!.relative)[0]!;
  const top = list({}, openable(tree) as string[], { key: 'error', direction: 'descending' });
  assert.equal(top.rows.find(row => row.node.change === 'changed' && row.expanded === undefined)?.node.id, worst.id);
  for (const direction of ['ascending', 'descending'] as const) {
    const last = list({}, [], { key: 'error', direction });
    assert.deepEqual(ids(last).slice(-2), ['buffers', 'file.header']);
  }
  assert.deepEqual(ids(list({}, [], { key: 'difference', direction: 'ascending' })).slice(0, 2), ['embeddings', 'encoder']);
});

test('a group knows the largest error and the smallest cosine inside it', () => {
  const layer = rows.filter(row => row.id.startsWith('encoder.layer.4.') && row.error);
  assert.equal(digests.get('encoder.layer.4')?.error, Math.max(...layer.map(row => row.error!.relative)));
  assert.equal(digests.get('encoder.layer.4')?.cosine, Math.min(...layer.map(row => row.error!.cosine)));
  assert.equal(digests.get('embeddings.LayerNorm')?.error, undefined);
});

test('an organ is of the type and shape of its largest tensor, a layer of none', () => {
  const query = digests.get('encoder.layer.0.attention.self.query');
  assert.deepEqual([query?.before.dtype, query?.after.dtype, query?.after.shape], ['fp32', 'int8', [384, 384]]);
  assert.deepEqual(digests.get('encoder.layer.0')?.after, {});
  assert.deepEqual(ancestors('pooler.dense.bias', digests), ['pooler.dense', 'pooler', 'model']);
});

test('bars share one scale, and under 3 % of it they are a tick', () => {
  assert.equal(barScale(tree), tree.children![0]!.before!.byteLength);
  assert.deepEqual(pairBar(50, 25, 100), { before: 0.5, after: 0.25, tick: false });
  assert.equal(pairBar(2.9, 0, 100).tick, true);
  assert.equal(errorScale(0.014), 0.3);
  assert.equal(errorScale(0.5), 0.5);
  const colours = organs(tree);
  assert.deepEqual(
    [
      'embeddings.LayerNorm.bias',
      'encoder.layer.1.attention.self.query.weight',
      'encoder.layer.1.output.dense',
      'pooler',
      'file.header',
    ].map(id => colours.get(id)),
    ['embed', 'attention', 'forward', 'other', 'other'],
  );
});

test('a narrower page shows fewer columns, the ones that another place also says go first', () => {
  assert.deepEqual(columnsFor(1440), [
    'name',
    'bars',
    'before',
    'after',
    'difference',
    'percent',
    'type',
    'shape',
    'error',
    'cosine',
  ]);
  assert.deepEqual(columnsFor(1200), ['name', 'bars', 'before', 'after', 'difference', 'percent', 'type', 'error', 'cosine']);
  assert.deepEqual(columnsFor(960), ['name', 'bars', 'after', 'difference', 'percent', 'type', 'error']);
  assert.deepEqual(columnsFor(420), ['name', 'bars', 'after', 'percent']);
  assert.deepEqual(columnsFor(300), ['name', 'after', 'percent']);
});

test('what was left alone is grouped by its reason, the commonest first', () => {
  const groups = leftAlone(made(int8()).report.skipped);
  assert.deepEqual(
    groups.map(group => group.targets.length),
    [50, 1],
  );
});

test('20,000 rows are listed, filtered and sorted in under 400 ms', () => {
  const { tree } = huge();
  const start = performance.now();
  const digests = digest(tree);
  const options = { digest: digests, open: new Set(openable(tree)), closed: new Set<string>(), title };
  assert.equal(listRows(tree, { ...options, query: { filter: '', changes: new Set() }, sort: null }).rows.length, 20_201);
  listRows(tree, {
    ...options,
    query: { filter: 't9', changes: new Set(['changed']) },
    sort: { key: 'error', direction: 'descending' },
  });
  assert.ok(performance.now() - start < 400, `${performance.now() - start} ms`);
});
