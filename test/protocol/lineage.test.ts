import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineageOf } from '../../src/protocol/lineage.ts';

const edit = (kind: string, target: string, before: string) => ({ kind, target, before, after: '' });

test('heads and layers are followed through several steps by the numbers of their time', () => {
  const edits = [
    edit('remove-heads', 'encoder.layer.1.attention', 'heads 0, 2'),
    edit('remove-layers', 'encoder', 'layers 0'),
    // Layer 1 is 0 now, and its heads 1 and 3 are 0 and 1.
    edit('remove-heads', 'encoder.layer.0.attention', 'heads 1'),
    edit('quantize', 'pooler.dense', 'fp32 [4, 4]'),
  ];
  assert.deepEqual(lineageOf(edits, [4, 4, 4]), {
    layers: [1, 2],
    heads: [[], [1], [0, 1, 2, 3]],
  });
});

test('edits that name what is not there tell of another model', () => {
  assert.equal(lineageOf([edit('remove-heads', 'encoder.layer.5.attention', 'heads 0')], [4, 4]), undefined);
  assert.equal(lineageOf([edit('remove-heads', 'encoder.layer.0.attention', 'heads 9')], [4, 4]), undefined);
  assert.equal(lineageOf([edit('remove-layers', 'encoder', 'layers 3')], [4, 4]), undefined);
});
