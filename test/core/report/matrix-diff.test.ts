import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createSession } from '../../../src/core/session/session.ts';

const sample = join(import.meta.dirname, '../../../media/sample/model.onnx');
const grid = { columns: 16, rows: 16 };
const query = 'encoder.layer.1.attention.self.query';

describe('one matrix in two models, on the sample', { skip: existsSync(sample) ? false : 'skipped: no sample' }, () => {
  const session = createSession();
  let folder: string;
  const made = (name: string): string => join(folder, name, 'model.onnx');
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'headroom-matrix-'));
    const make = (name: string, pass: string, options: Record<string, unknown>) =>
      session.compress({ path: sample, recipe: { version: 1, steps: [{ pass, options }] }, out: made(name) });
    await make('int8', 'quantize', { scheme: 'int8-dynamic' });
    await make('layers', 'prune-layers', { remove: [1] });
    await make('heads', 'prune-heads', { remove: { 1: [0, 2] } });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('of a quantized matrix: both as they act, and a difference as large as the error that compare gives, within 1e-3 of it', async () => {
    const diff = (await session.matrixDiff(sample, made('int8'), query, grid))!;
    const { rows } = await session.compare(sample, made('int8'));
    const error = rows.find(({ id }) => id === `${query}.weight`)!.error!;
    const norm = (cells: readonly (number | null)[]) => Math.sqrt(cells.reduce((sum: number, cell) => sum + cell! ** 2, 0));
    const relative = norm(diff.difference!.cells) / norm(diff.before.cells);
    assert.ok(Math.abs(relative / error.relative - 1) < 1e-3, `${relative} and ${error.relative}`);
    assert.deepEqual(diff.before.matrix, { rows: 128, columns: 128 });
    assert.equal(diff.before.heads?.boundaries.length, 5);
    assert.equal(
      diff.histogram.counts.reduce((sum, count) => sum + count, 0),
      128 * 128,
    );
  });

  test('the worst channel has the largest error of all, and its levels are those of eight bits, as many values as it has inputs', async () => {
    const diff = (await session.matrixDiff(sample, made('int8'), query, grid))!;
    assert.equal(diff.channel, diff.worst!.channel);
    assert.ok(diff.worst!.relative > 0 && diff.worst!.relative < 0.1);
    const { levels } = diff;
    assert.ok(levels!.length > 16 && levels!.length <= 256);
    assert.equal(
      levels!.reduce((sum, level) => sum + level.count, 0),
      128,
    );
    const values = levels!.map(({ value }) => value);
    const step = Math.min(...values.slice(1).map((value, at) => value - values[at]!));
    for (const value of values)
      assert.ok(Math.abs(value / step - Math.round(value / step)) < 1e-2, `${value} is no multiple of ${step}`);
    const other = (await session.matrixDiff(sample, made('int8'), query, { ...grid, channel: 3 }))!;
    assert.equal(other.channel, 3);
  });

  test('a matrix whose shape changed has both sides and no difference', async () => {
    const diff = (await session.matrixDiff(sample, made('heads'), query, grid))!;
    assert.deepEqual(
      [diff.before.matrix, diff.after.matrix],
      [
        { rows: 128, columns: 128 },
        { rows: 64, columns: 128 },
      ],
    );
    assert.equal(diff.difference, null);
    assert.equal(diff.levels, null, 'weights that were not quantized have no levels');
  });

  test('layers that went are struck out in place: what stayed is compared with itself, and is the same', async () => {
    const plain = await session.compare(sample, made('layers'));
    const aligned = await session.compare(sample, made('layers'), { layers: [0, 2, 3] });
    const changes = ({ tree }: typeof plain): string[] => {
      const encoder = tree.children!.find(({ kind }) => kind === 'encoder')!;
      return encoder.children!.map(({ id, change }) => `${id.split('.').at(-1)} ${change}`);
    };
    assert.deepEqual(changes(plain), ['0 same', '1 changed', '2 changed', '3 removed']);
    assert.deepEqual(changes(aligned), ['0 same', '1 removed', '2 same', '3 same']);
    assert.deepEqual(aligned.totals, plain.totals);
    const last = 'encoder.layer.3.attention.self.query';
    const diff = (await session.matrixDiff(sample, made('layers'), last, grid, { layers: [0, 2, 3] }))!;
    assert.equal(diff.worst, null, 'no channel changed');
    assert.equal(await session.matrixDiff(sample, made('layers'), query, grid, { layers: [0, 2, 3] }), null);
  });
});
