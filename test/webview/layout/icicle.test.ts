import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type IcicleNode, icicle, icicleNeighbour } from '../../../webview/layout/icicle.ts';

const leaf = (id: string, value: number): IcicleNode => ({ id, value, children: [] });
const parent = (id: string, children: readonly IcicleNode[]): IcicleNode => ({
  id,
  value: children.reduce((sum, child) => sum + child.value, 0),
  children,
});
const model = parent('model', [
  leaf('embeddings', 50),
  parent('encoder', [parent('layer 0', [leaf('attention', 10), leaf('forward', 20)]), leaf('layer 1', 15)]),
  leaf('header', 5),
]);

test('widths are shares of the whole, children lie under their parent and fill it', () => {
  const rects = icicle(model, 3, 0);
  const by = new Map(rects.map(rect => [rect.id, rect]));
  assert.deepEqual(by.get('embeddings'), { id: 'embeddings', left: 0, right: 0.5, top: 0, bottom: 3, parent: undefined });
  assert.deepEqual(by.get('encoder'), { id: 'encoder', left: 0.5, right: 0.95, top: 0, bottom: 1, parent: undefined });
  assert.equal(by.get('layer 0')!.left, 0.5);
  assert.equal(by.get('layer 0')!.right, by.get('layer 1')!.left);
  assert.ok(Math.abs(by.get('layer 1')!.right - 0.95) < 1e-12);
  assert.equal(by.get('attention')!.top, 2);
});

test('a node without children runs to the bottom, and so does the deepest level shown', () => {
  const rects = icicle(model, 2, 0);
  assert.equal(rects.find(rect => rect.id === 'header')!.bottom, 2);
  assert.equal(rects.find(rect => rect.id === 'layer 0')!.bottom, 2);
  assert.equal(
    rects.some(rect => rect.id === 'attention'),
    false,
  );
});

test('what is narrower than the least share is left out and leaves its room', () => {
  const rects = icicle(model, 2, 0.06);
  assert.equal(
    rects.some(rect => rect.id === 'header'),
    false,
  );
  assert.equal(rects.find(rect => rect.id === 'encoder')!.right, 0.95);
});

test('a model of nothing has no rectangles', () => {
  assert.deepEqual(icicle(parent('model', [leaf('header', 0)]), 4, 0), []);
});

test('arrow keys go along a level, up to the whole and down to the first part', () => {
  const rects = icicle(model, 3, 0);
  assert.equal(icicleNeighbour(rects, 'embeddings', 'ArrowRight'), 'encoder');
  assert.equal(icicleNeighbour(rects, 'encoder', 'ArrowDown'), 'layer 0');
  assert.equal(icicleNeighbour(rects, 'forward', 'ArrowUp'), 'layer 0');
  assert.equal(icicleNeighbour(rects, 'layer 1', 'ArrowDown'), 'layer 1');
  assert.equal(icicleNeighbour(rects, 'header', 'ArrowRight'), 'header');
  assert.equal(icicleNeighbour(rects, 'encoder', 'Home'), 'embeddings');
});
