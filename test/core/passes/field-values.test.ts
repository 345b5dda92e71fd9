import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentence } from '../../../src/core/errors.ts';
import { valueFor } from '../../../src/core/passes/field-values.ts';
import type { Field } from '../../../src/core/passes/pass.ts';

const words = { label: sentence('x'), help: sentence('x') };
const integers: Field = { kind: 'integers', default: [], ...words };
const units: Field = { kind: 'units', default: {}, ...words };
const groups: Field = { kind: 'groups', default: [], ...words };
const byLayer: Field = { kind: 'by-layer', default: 8, min: 2, max: 8, ...words };
const optional: Field = { kind: 'number', default: null, min: 0, max: 1, ...words };

test('lists of whole numbers are read as JSON and as text, ranges included', () => {
  assert.deepEqual(valueFor(integers, [1, 3]), [1, 3]);
  assert.deepEqual(valueFor(integers, '1, 3 5-7'), [1, 3, 5, 6, 7]);
  for (const wrong of ['1-', '-1', 'a', '3-1', '1 1', [1.5], [-1], {}, null, 3])
    assert.equal(valueFor(integers, wrong), undefined);
});

test('units by layer are read as JSON and as text', () => {
  assert.deepEqual(valueFor(units, { 0: [1], 3: [0, 2] }), { 0: [1], 3: [0, 2] });
  assert.deepEqual(valueFor(units, '0:1 3:0,2'), { 0: [1], 3: [0, 2] });
  assert.deepEqual(valueFor(units, '{ "2": [0] }'), { 2: [0] });
  for (const wrong of ['0', '0:x', '0:1 0:2', '{', { a: [1] }, { 0: 1 }, [], 1]) assert.equal(valueFor(units, wrong), undefined);
});

test('groups of layers are read as JSON and as text', () => {
  assert.deepEqual(valueFor(groups, '0-2 3,5'), [
    [0, 1, 2],
    [3, 5],
  ]);
  assert.deepEqual(valueFor(groups, '[[0, 1]]'), [[0, 1]]);
  for (const wrong of ['0-2 x', [0, 1], '[0']) assert.equal(valueFor(groups, wrong), undefined);
});

test('a number for all layers or one for each stays within its bounds', () => {
  assert.equal(valueFor(byLayer, 4), 4);
  assert.equal(valueFor(byLayer, '4'), 4);
  assert.deepEqual(valueFor(byLayer, '8 4 4'), [8, 4, 4]);
  for (const wrong of ['', '9', [8, 1], [], 'four']) assert.equal(valueFor(byLayer, wrong), undefined);
});

test('a number that may be left out takes null; one that may not does not', () => {
  assert.equal(valueFor(optional, null), null);
  assert.equal(valueFor(optional, 0.5), 0.5);
  assert.equal(valueFor(optional, 2), undefined);
  assert.equal(valueFor({ ...optional, default: 1 }, null), undefined);
});
