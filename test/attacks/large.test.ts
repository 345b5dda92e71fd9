import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'headroom-large-'));
after(() => rmSync(folder, { recursive: true }));

/** Megabytes that a fresh process takes for a file over what it takes without one, and megabytes of the summary as JSON. */
function measured(what: string): { more: number; json: number } {
  const bench = resolve(import.meta.dirname, '../bench/size.mjs');
  const env = { ...process.env, HEADROOM_BENCH_FOLDER: folder };
  const { stdout, stderr } = spawnSync(process.execPath, [bench, what], { encoding: 'utf8', env });
  const [, peak, before] = /peak ([\d.]+) MB of which ([\d.]+) MB before/.exec(stdout) ?? assert.fail(stdout + stderr);
  return { more: Number(peak) - Number(before), json: Number(/summary ([\d.]+) MB/.exec(stdout)?.[1]) };
}

test('5 GB, in a safetensors, an ONNX or beside one, take less than 50 MB of memory', () => {
  for (const what of ['5 GB, safetensors', '5 GB, ONNX', '5 GB beside an ONNX']) {
    const { more } = measured(what);
    assert.ok(more < 50, `${what}: ${more.toFixed(0)} MB`);
  }
});

test('a safetensors of 50,000 tensors takes less than 200 MB, and its summary less than 10 MB of JSON', () => {
  const { more, json } = measured('50,000 tensors, safetensors');
  assert.ok(more < 200 && json < 10, `${more.toFixed(0)} MB, JSON of ${json} MB`);
});

test('an ONNX of 50,000 tensors and as many nodes takes less than 300 MB, and its summary less than 20 MB of JSON', () => {
  const { more, json } = measured('50,000 tensors and nodes, ONNX');
  assert.ok(more < 300 && json < 20, `${more.toFixed(0)} MB, JSON of ${json} MB`);
});
