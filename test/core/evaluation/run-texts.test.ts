import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryFolder } from '../../../src/core/bytes/memory.ts';
import { batches } from '../../../src/core/evaluation/batches.ts';
import { evaluate } from '../../../src/core/evaluation/evaluate.ts';
import type { Runner, Runtime } from '../../../src/core/evaluation/runtime.ts';
import type { Subject } from '../../../src/core/evaluation/subject.ts';
import type { Task } from '../../../src/core/evaluation/task.ts';

/** Logits of two classes: the number of tokens, and `of` it. Remembers the batches it was given. */
function fake(of: (tokens: number) => number): { runtime: Runtime; shapes: number[][] } {
  const shapes: number[][] = [];
  const runner: Runner = {
    name: 'fake.onnx',
    inputs: [
      { name: 'input_ids', type: 'int64', shape: ['batch', 'sequence'] },
      { name: 'attention_mask', type: 'int64', shape: ['batch', 'sequence'] },
    ],
    outputs: ['logits'],
    loadMs: 1,
    async run(feeds) {
      const { ids_BT: mask_BT, shape } = feeds.get('attention_mask') as { ids_BT: Int32Array; shape: readonly [number, number] };
      const [batch, length] = shape;
      shapes.push([batch, length]);
      const rows = Array.from({ length: batch }, (_, b) =>
        mask_BT.subarray(b * length, (b + 1) * length).reduce((sum, it) => sum + it, 0),
      );
      return new Map([['logits', { data: Float32Array.from(rows.flatMap(it => [it, of(it)])), shape: [batch, 2] }]]);
    },
    close: async () => undefined,
  };
  return { runtime: { title: 'fake', load: async () => runner, loadBytes: async () => runner }, shapes };
}

const subject: Subject = {
  path: 'fake.onnx',
  folder: memoryFolder(),
  config: {},
  positions: 16,
  vocabulary: 100,
  fileBytes: 1,
};
const task = (...texts: string[]): Task => ({
  name: 'text',
  file: 'text',
  kind: 'text',
  samples: texts.map((text, line) => ({ text, line })),
  metrics: [],
  pooling: 'mean',
  notes: [],
});

test('texts whose outputs are NaN or infinite are counted and said; drift without a number is null, not NaN', async () => {
  const { runtime } = fake(tokens => (tokens === 2 ? Number.NaN : tokens === 3 ? Number.NEGATIVE_INFINITY : 0));
  const found = await evaluate(subject, subject, task('a', 'a b', 'a b c', 'a b c d'), runtime, { threads: 1, batch: 2 });
  assert.equal(found.nonFinite, 2);
  assert.equal(found.drift!.maxAbs, null);
  assert.ok(found.notes.some(note => note.text.includes('NaN') && note.args?.count === 2));
  assert.equal(JSON.stringify(found).includes('NaN,'), false);
});

test('a text that occurs twice is run once and counts twice', async () => {
  const { runtime, shapes } = fake(() => 0);
  const found = await evaluate(subject, subject, task('a b', 'c', 'a b', 'a b'), runtime, { threads: 1, batch: 8 });
  assert.equal(found.drift!.count, 4);
  assert.ok(shapes.every(([batch]) => batch! <= 2));
});

test('batches hold the longest first, no more than `size` texts, and no more tokens than are allowed', () => {
  assert.deepEqual(batches([3, 9, 1, 8], 2), [
    [1, 3],
    [0, 2],
  ]);
  assert.deepEqual(batches([3, 9, 1, 8], 4, 10), [[1], [3], [0, 2]]);
  assert.deepEqual(batches([30], 4, 10), [[0]]);
});
