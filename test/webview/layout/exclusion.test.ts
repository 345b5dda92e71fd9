import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesGlob } from '../../../src/core/passes/globs.ts';
import { isLeftOut, isNamed, leavingOut, puttingBack } from '../../../webview/layout/exclusion.ts';
import { sensitivityOf } from '../sensitivities.ts';

const { rows } = sensitivityOf('matrices');
const ids = rows.map(({ id }) => id);
const outWith = (exclude: readonly string[]) => rows.filter(row => isLeftOut(row, exclude)).map(({ id }) => id);

test('a pattern names what the core says it names', () => {
  for (const pattern of [
    ...ids,
    'encoder.layer.1',
    'encoder.layer.*',
    '*.query',
    '*dense',
    'embeddings',
    'output.dense',
    '*',
    'a+b.c',
  ])
    for (const id of [...ids, 'encoder.layer.10.output.dense', 'a+b.c', 'aab.c', 'a+b.c.d', 'x\ny'])
      assert.equal(isNamed(id, pattern), matchesGlob(id, pattern), `${pattern} and ${id}`);
});

test('leaving a layer out takes the place of its matrices; what a pattern covers already is not said again', () => {
  const some = ['encoder.layer.3.attention.self.query', '*.key'];
  assert.deepEqual(leavingOut(some, ['encoder.layer.3']), ['*.key', 'encoder.layer.3']);
  assert.deepEqual(leavingOut(some, ['encoder.layer.2.attention.self.key']), some);
});

test('putting one back leaves the others of its pattern out, and no more than these', () => {
  const back = rows.filter(({ id }) => id === 'encoder.layer.3.attention.self.key');
  for (const exclude of [['*.key'], ['encoder.layer.3'], ['*.key', 'encoder.layer.3'], ['encoder.*', 'a pattern for nothing']]) {
    const before = outWith(exclude);
    const after = puttingBack(exclude, back, rows);
    assert.deepEqual(
      outWith(after),
      before.filter(id => id !== back[0]!.id),
    );
    if (exclude.includes('a pattern for nothing')) assert.ok(after.includes('a pattern for nothing'));
  }
  assert.deepEqual(
    puttingBack(
      ['encoder.layer.3'],
      rows.filter(({ layer }) => layer === 3),
      rows,
    ),
    [],
  );
});
