import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openFileSource } from '../../../src/core/bytes/file.ts';
import { fileFolder } from '../../../src/core/bytes/folder.ts';

const root = mkdtempSync(join(tmpdir(), 'headroom-files-'));
after(() => rmSync(root, { recursive: true }));

test('a range is read exactly, and past the end is an error with file and offset', async () => {
  writeFileSync(join(root, 'a.bin'), Uint8Array.of(1, 2, 3, 4, 5));
  const source = await openFileSource(join(root, 'a.bin'));
  assert.deepEqual(await source.read(1, 3), Uint8Array.of(2, 3, 4));
  const into = new Uint8Array(2);
  await source.readInto(into, 3);
  assert.deepEqual(into, Uint8Array.of(4, 5));
  await assert.rejects(source.read(4, 2), { code: 'truncated', file: 'a.bin', offset: 4 });
  await source.close();
  await source.close();
});

test('a cancelled read is rejected', async () => {
  writeFileSync(join(root, 'b.bin'), new Uint8Array(10));
  const source = await openFileSource(join(root, 'b.bin'));
  await assert.rejects(source.read(0, 10, AbortSignal.abort()), { code: 'cancelled' });
  await source.close();
});

test('a file that was written to, replaced or removed has changed', async () => {
  const path = join(root, 'c.bin');
  for (const change of [
    () => writeFileSync(path, new Uint8Array(11)),
    () => writeFileSync(path, 'other text'),
    () => rmSync(path),
  ]) {
    writeFileSync(path, new Uint8Array(10));
    const source = await openFileSource(path);
    await source.verifyUnchanged();
    await new Promise(resolve => setTimeout(resolve, 5));
    change();
    await assert.rejects(source.verifyUnchanged(), { code: 'source-changed', file: 'c.bin' });
    await source.close();
  }
});

test('what is not there, and what is a folder, is not found', async () => {
  await assert.rejects(openFileSource(join(root, 'none.bin')), { code: 'not-found', file: 'none.bin' });
  await assert.rejects(openFileSource(root), { code: 'not-found' });
});

test('a folder opens what is in it, and nothing else, whatever the name or link says', async () => {
  const inside = join(root, 'models', 'm');
  mkdirSync(join(inside, 'sub'), { recursive: true });
  writeFileSync(join(root, 'secret'), 'x');
  writeFileSync(join(inside, 'w.bin'), 'w');
  writeFileSync(join(inside, 'sub', 'v.bin'), 'v');
  symlinkSync(join(root, 'secret'), join(inside, 'link'));
  symlinkSync(root, join(inside, 'up'));
  symlinkSync(join(inside, 'w.bin'), join(inside, 'near'));
  const folder = fileFolder(inside);
  for (const name of ['w.bin', './w.bin', 'sub/v.bin', 'sub\\v.bin', 'sub/../w.bin', 'near']) {
    const source = await folder.open(name);
    assert.equal(source?.byteLength, 1, name);
    await source?.close();
  }
  for (const name of ['none', 'sub', 'w.bin/x', 'x'.repeat(5000)]) assert.equal(await folder.open(name), undefined, name);
  for (const name of [
    '../secret',
    '/etc/passwd',
    'C:\\x',
    'c:x',
    '\\\\server\\x',
    'sub/../../../secret',
    'link',
    'up/secret',
    '..',
    'a\0b',
    '',
    '.',
  ])
    await assert.rejects(folder.open(name), { code: 'outside-folder' }, name);
});

test('a model in the Hugging Face cache finds its files, which are links to blobs', async () => {
  const repository = join(root, 'models--google--bert');
  const snapshot = join(repository, 'snapshots', 'abc');
  mkdirSync(snapshot, { recursive: true });
  mkdirSync(join(repository, 'blobs'));
  writeFileSync(join(repository, 'blobs', 'ff00'), '{}');
  symlinkSync('../../blobs/ff00', join(snapshot, 'config.json'));
  symlinkSync('../../../secret', join(snapshot, 'vocab.txt'));
  const source = await fileFolder(snapshot).open('config.json');
  assert.equal(source?.byteLength, 2);
  await source?.close();
  await assert.rejects(fileFolder(snapshot).open('vocab.txt'), { code: 'outside-folder' });
});
