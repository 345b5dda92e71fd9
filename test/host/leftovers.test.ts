import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { removeLeftovers } from '../../src/host/leftovers.ts';

const folder = mkdtempSync(join(tmpdir(), 'headroom-leftovers-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function put(path: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), 'x');
}

test('the temporary files of the dead process go, everything else stays', async () => {
  const kept = ['a/.model.int8.onnx.headroom-12-0a1b2c3d.tmp', 'a/.cache.tmp', 'a/model.onnx', 'a/x.headroom-1-0a1b2c3d.tmp'];
  for (const name of [...kept, 'a/.model.int8.onnx.headroom-1-0a1b2c3d.tmp', 'a/.model.int8.onnx.data.headroom-1-ffffffff.tmp'])
    put(name);
  await removeLeftovers(join(folder, 'a/model.int8.onnx'), 1);
  assert.deepEqual(readdirSync(join(folder, 'a')).sort(), kept.map(name => name.slice(2)).sort());
});

test('a folder that held nothing else goes with them, and so does one of a sentence-transformers model', async () => {
  put('b/model-int8/.model.safetensors.headroom-7-0a1b2c3d.tmp');
  put('b/model-int8/1_Pooling/.config.json.headroom-7-0a1b2c3d.tmp');
  await removeLeftovers(join(folder, 'b/model-int8/'), 7);
  assert.deepEqual(readdirSync(join(folder, 'b')), []);
});

test('a folder that holds something stays', async () => {
  put('c/out/notes.txt');
  put('c/out/.model.safetensors.headroom-7-0a1b2c3d.tmp');
  await removeLeftovers(join(folder, 'c/out'), 7);
  assert.deepEqual(readdirSync(join(folder, 'c/out')), ['notes.txt']);
});

test('an output that never came to be is no error', async () => {
  await removeLeftovers(join(folder, 'nowhere/x.onnx'), 1);
  await removeLeftovers(join(folder, 'nowhere/'), 1);
});
