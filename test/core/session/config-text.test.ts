import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configText } from '../../../src/core/session/config-text.ts';

const original = `{
  "dropout": 0.0, "eps": 1e-12,
  "big": 12345678901234567890,
  "nested": { "a": [1.0, {"b": "x, } \\" : y"}] },
  "name": "ü \\u00fc", "none": null
}`;

test('what did not change keeps its text, floats and long integers included', () => {
  const after = { ...JSON.parse(original), quantization_config: { bits: 8, targets: ['Linear'] } };
  const text = configText(original, after);
  assert.deepEqual(JSON.parse(text), after);
  for (const kept of [
    '"dropout": 0.0',
    '"eps": 1e-12',
    '"big": 12345678901234567890',
    '{ "a": [1.0, {"b": "x, } \\" : y"}] }',
    '"ü \\u00fc"',
  ])
    assert.ok(text.includes(kept), kept);
});

test('changed values are written anew, removed keys go, new ones come last', () => {
  const { dropout: _, ...rest } = JSON.parse(original);
  const text = configText(original, { ...rest, none: 3, more: [] });
  assert.deepEqual(JSON.parse(text), { ...rest, none: 3, more: [] });
  assert.deepEqual(Object.keys(JSON.parse(text)).at(-1), 'more');
  assert.ok(!text.includes('dropout'));
});

test('an empty object and a key that stands twice are read as JSON.parse reads them', () => {
  assert.equal(configText('{}', { a: 1.5 }), '{\n  "a": 1.5\n}\n');
  assert.equal(configText('{ "a": 1.0, "a": 2.0 }', { a: 2 }), '{\n  "a": 2.0\n}\n');
});
