import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { test } from 'node:test';
import { HeadroomError } from '../../src/core/errors.ts';
import { summarize } from '../../src/core/report/summary.ts';
import { openPath } from '../../src/core/session/open.ts';
import { checkSummary } from './whole.ts';

const shared = resolve(import.meta.dirname, '../../../shared');
const folders = ['third-party', 'generated'].map(name => resolve(shared, name)).filter(existsSync);
const files = folders.flatMap(folder =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => /\.(onnx|safetensors|safetensors\.index\.json)$/.test(name))
    .map(name => resolve(folder, name)),
);

test('every model that others made, odd and broken ones too, opens whole or is refused with a sentence', {
  skip: files.length === 0 && 'skipped: no third-party models',
}, async () => {
  const tally = { opened: 0, refused: 0 };
  for (const file of files) {
    const what = relative(shared, file);
    const start = process.cpuUsage();
    try {
      const opened = await openPath(file);
      const summary = summarize(opened.model, opened.anatomy);
      await opened.close();
      checkSummary(summary, what);
      tally.opened++;
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      assert.ok(error instanceof HeadroomError, `${what}: ${(error as Error)?.stack}`);
      assert.ok(error.code === 'outside-folder' || error.file !== undefined, `${what}: ${error.message}`);
      tally.refused++;
    }
    const ms = process.cpuUsage(start).user / 1000;
    assert.ok(ms < 2000, `${what} took ${ms.toFixed(0)} ms`);
  }
  assert.ok(tally.opened > 50 && tally.refused > 10, JSON.stringify(tally));
});
