import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { fromSystem, openFileSource } from '../../src/core/bytes/file.ts';
import { fileFolder } from '../../src/core/bytes/folder.ts';
import { memoryOutput } from '../../src/core/bytes/memory.ts';
import { openOutput } from '../../src/core/bytes/output.ts';
import { openModel } from '../../src/core/format/open.ts';
import { formatOf } from '../../src/core/format/registry.ts';
import { closeModel, verifySources } from '../../src/core/format/stored.ts';
import type { Model } from '../../src/core/model/model.ts';
import { floatEntry, safetensorsFile } from '../core/format/open-bytes.ts';
import { externalTensor, field, linear, rawTensor } from '../core/format/protobuf.ts';

const root = mkdtempSync(join(tmpdir(), 'headroom-writing-'));
after(() => rmSync(root, { recursive: true }));

const large = 12_000_000;
const sources: Readonly<Record<string, Uint8Array>> = {
  'm.onnx': linear(field(5, rawTensor('large', 1, [large / 4], new Uint8Array(large).fill(3)))),
  'm.safetensors': safetensorsFile({ large: floatEntry(large / 4, 0) }, new Uint8Array(large).fill(3)),
};
for (const [name, bytes] of Object.entries(sources)) writeFileSync(join(root, name), bytes);
const open = async (name: string): Promise<Model> => openModel(await openFileSource(join(root, name)), fileFolder(root));
/** A model that is put together anew, not only copied. */
const relisted = (model: Model): Model => ({
  ...model,
  tensors: new Map(model.tensors),
  ...(model.graph ? { graph: { ...model.graph, nodes: [...model.graph.nodes] } } : {}),
});

let count = 0;
const newFolder = (): string => {
  const folder = join(root, `out${count++}`);
  mkdirSync(folder);
  return folder;
};

for (const name of Object.keys(sources)) {
  for (const [what, change] of [
    ['a copy', (model: Model) => model],
    ['a changed model', relisted],
  ] as const) {
    test(`${name}, ${what}: the file that is written is the file that was read, with progress to the end`, async () => {
      const model = await open(name);
      const folder = newFolder();
      const output = await openOutput(folder, { overwrite: false });
      const steps: number[] = [];
      let all = 0;
      await formatOf(model.format).write(change(model), output, name, {
        progress: (done, total) => {
          steps.push(done);
          all = total;
        },
      });
      await output.commit();
      assert.ok(steps.length >= 3, 'in more than one piece');
      assert.deepEqual([steps.at(-1), all], [readFileSync(join(folder, name)).length, readFileSync(join(folder, name)).length]);
      assert.equal(readFileSync(join(folder, name)).length >= large, true);
      await closeModel(model);
    });

    test(`${name}, ${what}: cancelled in mid-write, nothing is left`, async () => {
      const model = await open(name);
      const folder = newFolder();
      const output = await openOutput(folder, { overwrite: false });
      const abort = new AbortController();
      let last = 0;
      const progress = (done: number) => {
        last = done;
        if (done > 4_000_000) abort.abort();
      };
      await assert.rejects(formatOf(model.format).write(change(model), output, name, { signal: abort.signal, progress }), {
        code: 'cancelled',
      });
      assert.ok(last > 4_000_000 && last < large, `${last} bytes were written`);
      assert.equal(readdirSync(folder).length, 1);
      await output.discard();
      assert.deepEqual(readdirSync(folder), []);
      await closeModel(model);
    });
  }

  test(`${name}: a disk that fills up in mid-write is said, and nothing is left`, async () => {
    const model = await open(name);
    const files = new Map<string, Uint8Array>();
    const output = memoryOutput(files, { capacity: 5_000_000 });
    await assert.rejects(formatOf(model.format).write(relisted(model), output, name), { code: 'disk-full' });
    await output.discard();
    assert.equal(files.size, 0);
    await closeModel(model);
  });

  test(`${name}: a source that changed before the end is said before anything is committed`, async () => {
    const copy = `changed-${name}`;
    writeFileSync(join(root, copy), sources[name]!);
    const model = await open(copy);
    await verifySources(model);
    const folder = newFolder();
    const output = await openOutput(folder, { overwrite: false });
    let isChanged = false;
    const progress = () => {
      if (!isChanged) writeFileSync(join(root, copy), Buffer.concat([sources[name]!, Buffer.of(0)]));
      isChanged = true;
    };
    await assert.rejects(formatOf(model.format).write(relisted(model), output, name, { progress }), {
      code: 'source-changed',
      file: copy,
    });
    await output.discard();
    assert.deepEqual(readdirSync(folder), []);
    await closeModel(model);
  });

  test(`${name}: an output that exists is refused and stays as it is`, async () => {
    const model = await open(name);
    const folder = newFolder();
    writeFileSync(join(folder, name), 'mine');
    const output = await openOutput(folder, { overwrite: false });
    await assert.rejects(formatOf(model.format).write(model, output, name), { code: 'output-exists' });
    await output.discard();
    assert.deepEqual(readdirSync(folder), [name]);
    assert.equal(readFileSync(join(folder, name), 'utf8'), 'mine');
    await closeModel(model);
  });
}

/** A file system of 1 MB, where the system and the user allow to mount one. */
function mounted(context: TestContext, options: string): string | undefined {
  const folder = newFolder();
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]);
  if (status !== 0) return undefined;
  context.after(() => spawnSync('umount', [folder]));
  return folder;
}

test('a real disk that is full is said with what is needed and free, before and during the writing', async context => {
  const folder = process.platform === 'linux' ? mounted(context, 'size=1m') : undefined;
  if (!folder) return context.skip('no small file system can be mounted here');
  const model = await open('m.onnx');
  const output = await openOutput(folder, { overwrite: false });
  await assert.rejects(formatOf('onnx').write(model, output, 'm.onnx'), {
    code: 'disk-full',
    message: /12\.0 MB needed, 1\.0 MB free/,
  });
  const sink = await output.create('m.onnx');
  await assert.rejects(
    (async () => {
      for (;;) await sink.write(new Uint8Array(300_000));
    })(),
    { code: 'disk-full' },
  );
  await output.discard();
  assert.deepEqual(readdirSync(folder), []);
  await closeModel(model);
});

test('a read-only folder is said, and nothing is left', async context => {
  const folder = process.platform === 'linux' ? mounted(context, 'ro') : undefined;
  if (!folder) return context.skip('no read-only file system can be mounted here');
  const output = await openOutput(join(folder, 'deeper'), { overwrite: false });
  await assert.rejects(output.create('m.onnx'), { code: 'read-only', file: 'm.onnx' });
  await output.discard();
});

test('errors of the system have their own codes', () => {
  const codes = {
    EACCES: 'read-only',
    EROFS: 'read-only',
    EPERM: 'read-only',
    ENOSPC: 'disk-full',
    EDQUOT: 'disk-full',
    ENOENT: 'not-found',
    EIO: 'io',
  };
  for (const [system, code] of Object.entries(codes))
    assert.equal(fromSystem(Object.assign(new Error(system), { code: system }), 'm.onnx').code, code);
});

test('side files that already lie beside the output are not copied onto themselves', async () => {
  const folder = newFolder();
  const data = new Uint8Array(Float32Array.of(1, 2).buffer);
  writeFileSync(join(folder, 'm.onnx'), linear(field(5, externalTensor('e', [2], { location: 'd.bin' }))));
  writeFileSync(join(folder, 'd.bin'), data);
  const model = await openModel(await openFileSource(join(folder, 'm.onnx')), fileFolder(folder));
  const output = await openOutput(folder, { overwrite: false });
  await formatOf('onnx').write(model, output, 'copy.onnx');
  await output.commit();
  assert.deepEqual(readdirSync(folder).sort(), ['copy.onnx', 'd.bin', 'm.onnx']);
  await closeModel(model);
});
