import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { openOutput } from '../../../src/core/bytes/output.ts';

const root = mkdtempSync(join(tmpdir(), 'headroom-output-'));
after(() => rmSync(root, { recursive: true }));
let count = 0;
const newFolder = () => join(root, String(count++));
const bytes = (text: string) => Buffer.from(text);

test('nothing has its name before the commit, everything has it after', async () => {
  const folder = newFolder();
  const output = await openOutput(join(folder, 'deep'), { overwrite: false });
  const sink = await output.create('model.onnx');
  await sink.write(bytes('abc'));
  await (await output.create('model.onnx.data')).write(bytes('d'));
  await sink.write(bytes('def'));
  assert.equal(sink.bytesWritten, 6);
  const names = readdirSync(join(folder, 'deep'));
  assert.ok(
    names.every(name => /^\.model\.onnx(\.data)?\.headroom-\d+-[0-9a-f]{8}\.tmp$/.test(name)),
    names.join(),
  );
  assert.deepEqual([...(await output.written.list())].sort(), ['model.onnx', 'model.onnx.data']);
  const written = await output.written.open('model.onnx');
  assert.equal(written?.name, 'model.onnx');
  assert.equal(Buffer.from(await written!.read(0, 6)).toString(), 'abcdef');
  await written?.close();
  await output.commit();
  assert.deepEqual(readdirSync(join(folder, 'deep')).sort(), ['model.onnx', 'model.onnx.data']);
  assert.equal(readFileSync(join(folder, 'deep', 'model.onnx'), 'utf8'), 'abcdef');
});

test('discard leaves nothing, not even the folder it made', async () => {
  const folder = newFolder();
  const output = await openOutput(join(folder, 'x', 'y'), { overwrite: false });
  await (await output.create('sub/a.bin')).write(bytes('abc'));
  await output.discard();
  assert.deepEqual(readdirSync(root).includes(folder.split('/').at(-1)!), false);
});

test('a target that exists is refused at once, and also when it appears before the commit', async () => {
  const folder = newFolder();
  const output = await openOutput(folder, { overwrite: false });
  await (await output.create('side.bin')).write(bytes('new'));
  await (await output.create('late.bin')).write(bytes('new'));
  writeFileSync(join(folder, 'early.bin'), 'old');
  await assert.rejects(output.create('early.bin'), { code: 'output-exists' });
  writeFileSync(join(folder, 'side.bin'), 'old');
  await assert.rejects(output.commit(), { code: 'output-exists' });
  await output.discard();
  assert.deepEqual(readdirSync(folder).sort(), ['early.bin', 'side.bin']);
  assert.equal(readFileSync(join(folder, 'side.bin'), 'utf8'), 'old');
});

test('with overwrite the old file stays whole until the commit', async () => {
  const folder = newFolder();
  const first = await openOutput(folder, { overwrite: true });
  await (await first.create('a.bin')).write(bytes('old'));
  await first.commit();
  const second = await openOutput(folder, { overwrite: true });
  await (await second.create('a.bin')).write(bytes('new'));
  assert.equal(readFileSync(join(folder, 'a.bin'), 'utf8'), 'old');
  await second.commit();
  assert.equal(readFileSync(join(folder, 'a.bin'), 'utf8'), 'new');
});

test('a disk without room is said before anything is written, with both numbers', async () => {
  const output = await openOutput(newFolder(), { overwrite: false });
  await assert.rejects(output.reserve!(2 ** 52), (error: { code: string; sentence: { args: Record<string, string> } }) => {
    assert.equal(error.code, 'disk-full');
    assert.equal(error.sentence.args.need, '4503599.6 GB');
    assert.match(error.sentence.args.free!, /^[\d.]+ [KMG]?B$/);
    return true;
  });
});

test('names that leave the folder are refused', async () => {
  const output = await openOutput(newFolder(), { overwrite: true });
  for (const name of ['../x', '/tmp/x', 'a/../../x']) await assert.rejects(output.create(name), { code: 'outside-folder' });
});

for (const ending of ['SIGINT', 'SIGTERM', 'process.exit(3)', 'throw new Error()']) {
  test(`a process that ends by ${ending} leaves nothing behind`, async () => {
    const folder = newFolder();
    const signal = ending.startsWith('SIG') ? ending : undefined;
    const script = `
      import { openOutput } from ${JSON.stringify(resolve(import.meta.dirname, '../../../src/core/bytes/output.ts'))};
      const output = await openOutput(${JSON.stringify(join(folder, 'made'))}, { overwrite: false });
      await (await output.create('a.bin')).write(new Uint8Array(100000));
      console.log('written');
      ${signal ? 'setInterval(() => {}, 1000);' : ending}`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    if (signal) child.stdout.once('data', () => child.kill(signal as NodeJS.Signals));
    const [code, by] = await new Promise<[number | null, string | null]>(done => child.once('exit', (a, b) => done([a, b])));
    assert.ok(signal ? by === signal : code !== 0, `ended with ${code} ${by}`);
    assert.equal(readdirSync(root).includes(folder.split('/').at(-1)!), false);
  });
}

test('several runs are written one behind the other; what goes to the disk meanwhile changes nothing', async () => {
  const folder = newFolder();
  const output = await openOutput(folder, { overwrite: false });
  const sink = await output.create('model.onnx');
  const large = Buffer.alloc(20 * 1024 * 1024, 7);
  await sink.writeAll!([bytes('a'), large, Buffer.alloc(0), bytes('bc')]);
  await sink.write(large);
  sink.end!();
  assert.equal(sink.bytesWritten, 2 * large.length + 3);
  await output.commit();
  const wanted = Buffer.concat([bytes('a'), large, bytes('bc'), large]);
  assert.ok(readFileSync(join(folder, 'model.onnx')).equals(wanted));
});

test('an output is given up while it goes to the disk', async () => {
  const folder = newFolder();
  const output = await openOutput(folder, { overwrite: false });
  const sink = await output.create('model.onnx');
  await sink.write(Buffer.alloc(20 * 1024 * 1024));
  sink.end!();
  await output.discard();
  assert.deepEqual(existsSync(folder) ? readdirSync(folder) : [], []);
});
