import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join as joinPath, sep } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { summarize } from '../../src/core/report/summary.ts';
import { openPath } from '../../src/core/session/open.ts';
import { codeOf } from '../core/format/open-bytes.ts';
import { externalTensor, field, model } from '../core/format/protobuf.ts';
import { bertEntries, checkpointFile } from './specimen.ts';
import { checkSummary } from './whole.ts';

// What a model may reach: every file that is opened while it is read is noted by its real path.

const opened: string[] = [];
const { open } = fs.promises;
let [root, folder] = ['', ''];

before(async () => {
  root = await realpath(await mkdtemp(joinPath(tmpdir(), 'headroom-folders-')));
  fs.promises.open = (async (path: string, ...rest: [number]) => {
    opened.push(await realpath(path));
    return open(path, ...rest);
  }) as typeof open;
  syncBuiltinESMExports();
});
beforeEach(async () => {
  opened.length = 0;
  folder = joinPath(root, `model-${(await readdir(root)).length}`);
  await mkdir(folder);
  await writeFile(joinPath(root, 'secret.bin'), new Uint8Array(64));
  await writeFile(joinPath(root, 'secret.safetensors'), checkpointFile(bertEntries()));
});
after(async () => {
  fs.promises.open = open;
  syncBuiltinESMExports();
  await rm(root, { recursive: true });
});

const path = (name: string) => joinPath(folder, name);
const checkInside = () => {
  for (const each of opened) assert.ok(each.startsWith(folder + sep), `${each} was opened`);
};
const modelOf = (location: string) => model(field(5, externalTensor('w', [4], { location })));

async function refuses(name: string, codes: readonly string[], what: string): Promise<void> {
  const start = performance.now();
  const error = await codeOf(openPath(path(name)));
  assert.ok(codes.includes(error.code), `${what}: ${error.code}: ${error.message}`);
  assert.ok(performance.now() - start < 2000, `${what} took long`);
  checkInside();
}

test('data beside a model is read from its folder alone', async () => {
  await symlink(joinPath(root, 'secret.bin'), path('link.bin'));
  await symlink(root, path('out'));
  await symlink('loop.bin', path('loop.bin'));
  await symlink('/dev/zero', path('zero.bin'));
  await mkdir(path('folder.bin'));
  const outside = [
    '../secret.bin',
    joinPath(root, 'secret.bin'),
    'link.bin',
    'out/secret.bin',
    'a/../../secret.bin',
    '..\\secret.bin',
  ];
  const system = [
    '/etc/passwd',
    '/dev/zero',
    'zero.bin',
    '/proc/self/mem',
    'C:\\Windows\\win.ini',
    '\\\\server\\share',
    '..',
    '.',
    '\0',
  ];
  for (const location of [...outside, ...system]) {
    await writeFile(path('m.onnx'), modelOf(location));
    await refuses('m.onnx', ['outside-folder', 'malformed'], location);
  }
  for (const location of ['folder.bin', 'gone.bin', 'm.onnx/x', 'n'.repeat(5000), 'a/'.repeat(5000)]) {
    await writeFile(path('m.onnx'), modelOf(location));
    await refuses('m.onnx', ['missing-file'], location.slice(0, 40));
  }
  await writeFile(path('m.onnx'), modelOf('loop.bin'));
  await refuses('m.onnx', ['missing-file', 'io'], 'a link to itself');
});

test('a model that keeps its data in itself, or in one file under two names, is not counted twice', async () => {
  await writeFile(path('m.onnx'), modelOf('m.onnx'));
  await refuses('m.onnx', ['malformed'], 'itself');
  await writeFile(path('m.onnx'), modelOf('./sub/../m.onnx'));
  await refuses('m.onnx', ['malformed'], 'itself, the long way');
  await mkdir(path('sub'));
  await writeFile(path('w.bin'), new Uint8Array(16));
  const names = ['w.bin', './w.bin', 'sub/../w.bin', 'sub//..\\w.bin'];
  await writeFile(path('m.onnx'), model(...names.map((location, i) => field(5, externalTensor(`w${i}`, [4], { location })))));
  const it = await openPath(path('m.onnx'));
  await it.close();
  assert.equal(it.model.parts.filter(part => part.kind === 'external').length, 1);
});

test('files of one name in two folders are two files', async () => {
  for (const name of ['a', 'b']) {
    await mkdir(path(name));
    await writeFile(path(`${name}/w.bin`), new Uint8Array(16).fill(name.charCodeAt(0)));
  }
  await writeFile(
    path('m.onnx'),
    model(...['a/w.bin', 'b/w.bin'].map((location, i) => field(5, externalTensor(`w${i}`, [4], { location })))),
  );
  const it = await openPath(path('m.onnx'));
  const summary = summarize(it.model, it.anatomy);
  await it.close();
  checkSummary(summary, 'two files');
  assert.deepEqual(
    [...it.model.tensors.values()].map(tensor => tensor.place),
    ['a/w.bin', 'b/w.bin'].map(file => ({ file, offset: 0 })),
  );
  assert.equal(summary.model.parameters, 8);
});

test('a pipe is refused and not waited for, wherever it stands', { skip: process.platform === 'win32' }, async () => {
  const pipe = (name: string) => assert.equal(spawnSync('mkfifo', [path(name)]).status, 0);
  for (const name of ['m.safetensors', 'm2.onnx', 'w.bin', 'config.json', 'model-00001-of-00002.safetensors']) pipe(name);
  await refuses('m.safetensors', ['not-found'], 'the model');
  await refuses('m2.onnx', ['not-found'], 'the model');
  await writeFile(path('m.onnx'), modelOf('w.bin'));
  await refuses('m.onnx', ['missing-file'], 'data');
  await writeFile(path('good.safetensors'), checkpointFile(bertEntries()));
  const it = await openPath(path('good.safetensors'));
  await it.close();
  assert.deepEqual(it.model.config, {});
  const map = { weight_map: { a: 'model-00001-of-00002.safetensors', b: 'good.safetensors' } };
  await writeFile(path('model.safetensors.index.json'), JSON.stringify(map));
  const sharded = await openPath(path('model.safetensors.index.json'));
  await sharded.close();
  assert.equal(sharded.model.complete, false);
  checkInside();
});

test('devices and folders are no models', { skip: process.platform === 'win32' }, async () => {
  await symlink('/dev/zero', path('zero.onnx'));
  for (const name of ['/dev/zero', '/dev/null', path('zero.onnx')])
    assert.equal((await codeOf(openPath(name))).code, 'not-found', name);
});

test('an index names shards of its own folder alone, and no other kind of file', async () => {
  await symlink(joinPath(root, 'secret.safetensors'), path('link.safetensors'));
  await writeFile(path('good.safetensors'), checkpointFile(bertEntries()));
  const names = ['../secret.safetensors', joinPath(root, 'secret.safetensors'), 'link.safetensors', '/dev/zero', '', '..'];
  for (const name of names) {
    await writeFile(path('model.safetensors.index.json'), JSON.stringify({ weight_map: { a: 'good.safetensors', b: name } }));
    await refuses('model.safetensors.index.json', ['outside-folder'], name);
  }
  for (const map of [[], 7, null, 'x', { a: 7 }, { a: null }, { a: ['x'] }, { a: { b: 'c' } }]) {
    await writeFile(path('model.safetensors.index.json'), JSON.stringify({ weight_map: map }));
    const result = await openPath(path('model.safetensors.index.json')).catch(error => error);
    assert.ok(result.code === 'malformed' || result.model?.tensors.size === 0, JSON.stringify(map));
    await result.close?.();
  }
  const itself = { weight_map: { a: 'model.safetensors.index.json' } };
  await writeFile(path('model.safetensors.index.json'), JSON.stringify(itself));
  await refuses('model.safetensors.index.json', ['truncated', 'limit', 'malformed'], 'the index itself');
});

test('a config.json that leads elsewhere, or is no file, is not used', async () => {
  await writeFile(path('m.safetensors'), checkpointFile(bertEntries()));
  await writeFile(joinPath(root, 'config.json'), '{"model_type":"secret"}');
  const opens = async () => {
    const { model, close } = await openPath(path('m.safetensors'));
    await close();
    assert.deepEqual(model.config, {});
    checkInside();
    return model.warnings.length;
  };
  await symlink(joinPath(root, 'config.json'), path('config.json'));
  assert.equal(await opens(), 1);
  await rm(path('config.json'));
  await mkdir(path('config.json'));
  await opens();
});
