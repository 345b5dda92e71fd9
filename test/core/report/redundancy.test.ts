import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Redundancy } from '../../../src/core/report/redundancy.ts';
import { createSession } from '../../../src/core/session/session.ts';

const sample = join(import.meta.dirname, '../../../media/sample/model.onnx');
const session = createSession();
let found: Redundancy;
before(async () => {
  found = await session.redundancy(sample);
});

test('the squares of the singular values sum to the square of the norm, which the statistics say too, within 1e-6', async () => {
  const { std, mean, count } = (await session.statistics(sample, 'm.bert.embeddings.position_embeddings.weight'))!;
  const table = found.spectra.find(it => it.id === 'embeddings.position_embeddings')!;
  const energy = table.values.reduce((sum, value) => sum + value * value, 0);
  assert.equal(table.values.length, 128);
  assert.ok(Math.abs(energy / (count * (std * std + mean * mean)) - 1) < 1e-6, `${energy}`);
});

test('singular values fall, ranks grow with the energy kept, and 99 % is kept before the full rank', () => {
  assert.ok(found.spectra.length >= 4 * 6);
  for (const { id, values, rank90, rank95, rank99, out, in: wide, breakEven } of found.spectra) {
    assert.ok(
      values.every((value, i) => i === 0 || value <= values[i - 1]!),
      id,
    );
    assert.ok(0 < rank90 && rank90 <= rank95 && rank95 <= rank99 && rank99 <= Math.min(out, wide), id);
    assert.equal(breakEven, Math.floor((out * wide) / (out + wide)), id);
  }
});

test('similarities are symmetric within 1e-9, with a diagonal of 1', () => {
  for (const { size, cosines, labels } of [found.layers!, ...found.heads]) {
    assert.equal(labels.length, size);
    for (let row = 0; row < size; row++) {
      assert.ok(Math.abs(cosines[row * size + row]! - 1) < 1e-6);
      for (let column = 0; column < size; column++)
        assert.ok(Math.abs(cosines[row * size + column]! - cosines[column * size + row]!) < 1e-9);
    }
  }
});

test('a saving is the size that a dry run of the same step says', async () => {
  const savings = await session.savings(sample);
  assert.ok(savings.filter(it => it.fileBytes !== undefined).length >= 2);
  for (const { pass, options, fileBytes, savedBytes } of savings) {
    if (fileBytes === undefined) continue;
    const out = join(import.meta.dirname, 'nothing.onnx');
    const report = await session.compress({
      path: sample,
      out,
      recipe: { version: 1, steps: [{ pass, options }] },
      dryRun: true,
    });
    assert.deepEqual([fileBytes, savedBytes], [report.after.fileBytes, report.before.fileBytes - report.after.fileBytes]);
  }
});

test('cancelled before it begins, nothing is found', async () => {
  await assert.rejects(session.redundancy(sample, { signal: AbortSignal.abort() }), { code: 'cancelled' });
});
