import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { openBytes, rejectsWith, safetensorsFile } from '../core/format/open-bytes.ts';
import { externalTensor, field, group, integer, join, model, node, rawTensor, varint } from '../core/format/protobuf.ts';

const open = (bytes: Uint8Array) => openBytes('m.onnx', bytes);

function nested(depth: number): Uint8Array {
  let graph = field(2, 'innermost');
  for (let i = 0; i < depth; i++)
    graph = field(1, node('If', ['c'], ['p'], field(5, field(1, 'then_branch'), field(6, graph), integer(20, 5))));
  return model(graph);
}

test('graphs nested 30 deep open, 1,000 deep are refused', async () => {
  assert.equal((await open(nested(30))).graph?.nodes.length, 1);
  await rejectsWith('limit', open(nested(1000)));
});

test('groups nested 100,000 deep are refused, without a stack', async () => {
  const deep = join(
    integer(1, 8),
    new Uint8Array(200_000).fill(0).map((_, i) => (i % 2 ? 0x06 : 0xa3)),
  );
  await rejectsWith('limit', open(join(integer(1, 8), ...Array(100_000).fill(varint(100 * 8 + 3)))));
  await assert.rejects(open(deep), { name: 'HeadroomError' });
});

test('a group that ends as another, never ends, or was never begun is refused', async () => {
  for (const bytes of [join(varint(803), varint(812)), varint(803), varint(804), group(100, varint(803))])
    await assert.rejects(open(join(integer(1, 8), bytes)), { name: 'HeadroomError' });
});

test('lengths beyond the file, beyond the message and below zero are refused with an offset', async () => {
  for (const length of [varint(2 ** 31), varint(2n ** 63n - 1n), varint(-1), varint(-5), varint(2 ** 53)]) {
    for (const bytes of [
      join(integer(1, 8), varint(7 * 8 + 2), length),
      model(join(varint(1 * 8 + 2), length)),
      model(field(5, join(varint(9 * 8 + 2), length))),
    ]) {
      const error = await open(bytes).then(
        () => assert.fail('opened'),
        reason => reason,
      );
      assert.ok(['malformed', 'truncated'].includes(error.code), error.message);
      assert.equal(typeof error.offset, 'number');
    }
  }
});

test('a number of eleven bytes, a field 0 and the wire types 6 and 7 are refused', async () => {
  const eleven = join(Uint8Array.of(0x08), new Uint8Array(10).fill(0xff), Uint8Array.of(1));
  for (const bytes of [
    join(eleven, new Uint8Array(20)),
    join(integer(1, 8), Uint8Array.of(0x02, 0)),
    join(integer(1, 8), Uint8Array.of(0x0e)),
    join(integer(1, 8), Uint8Array.of(0x0f)),
  ])
    await rejectsWith('malformed', open(bytes));
});

test('shapes that no file can hold are refused: too many elements, a negative size, more than the data', async () => {
  const shaped = (...dims: number[]) =>
    open(model(field(5, join(...dims.map(size => integer(1, size)), integer(2, 1), field(8, 'w')))));
  await rejectsWith('limit', shaped(2 ** 40, 2 ** 40));
  await rejectsWith('limit', shaped(...Array(2000).fill(2)));
  await rejectsWith('malformed', shaped(-1));
  await rejectsWith('limit', shaped(0, 2 ** 60));
  const bomb = join(integer(1, 2 ** 40), integer(2, 7), field(7, varint(1)), field(8, 'w'));
  await rejectsWith('malformed', open(model(field(5, bomb))));
});

test('a shape without any data opens with a warning, and reading it says so', async () => {
  const opened = await open(model(field(5, join(integer(1, 2 ** 40), integer(2, 1), field(8, 'w')))));
  assert.equal(opened.warnings[0]?.code, 'no-data');
  await rejectsWith('malformed', opened.tensors.get('w')!.bytes());
});

test('names may hold anything: they are data', async () => {
  const names = ['__proto__', 'constructor', '<script>alert(1)</script>', '\u202e', '', 'a\0b', '../../x'];
  const opened = await open(model(...names.map(name => field(5, rawTensor(name, 1, [1], new Uint8Array(4))))));
  assert.deepEqual([...opened.tensors.keys()], names);
  const header = `{${names.map((name, i) => `${JSON.stringify(name)}:{"dtype":"U8","shape":[1],"data_offsets":[${i},${i + 1}]}`).join(',')},"__metadata__":{"__proto__":"x"}}`;
  const safe = await openBytes('m.safetensors', safetensorsFile(header, new Uint8Array(names.length)));
  assert.deepEqual([...safe.tensors.keys()].sort(), [...names].sort());
  assert.equal(Object.getPrototypeOf(safe.metadata), Object.prototype);
});

test('a model that keeps its weights in more than 1,000 files is refused', async () => {
  const many = Array.from({ length: 1001 }, (_, i) => field(5, externalTensor(`w${i}`, [1], { location: `${i}.bin` })));
  const beside = Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`${i}.bin`, new Uint8Array(4)]));
  await rejectsWith('limit', openBytes('m.onnx', model(...many), beside));
});

const header = (json: string) => openBytes('m.safetensors', safetensorsFile(json));

test('a header of JSON that would take gigabytes to parse is refused before it is parsed', async () => {
  await rejectsWith('limit', header(`{"a":${'['.repeat(1e6)}${']'.repeat(1e6)}}`));
  await rejectsWith('limit', header(`{"a":[${'[],'.repeat(3e6)}[]]}`));
  await rejectsWith('limit', header(`{"a":{"dtype":"U8","shape":[${'1,'.repeat(6e6)}1],"data_offsets":[0,1]}}`));
});

test('a text of 20 million characters in the metadata is read', async () => {
  const opened = await header(`{"__metadata__":{"k":"${'é\\"'.repeat(1e7)}"}}`);
  assert.equal(opened.metadata.k?.length, 2e7);
});

test('a shape that is too long to be one is not shown in full', async () => {
  const error = await rejectsWith(
    'malformed',
    header(`{"a":{"dtype":"U8","shape":[${'1,'.repeat(1e5)}1],"data_offsets":[0,0]}}`),
  );
  assert.ok(error.message.length < 200, error.message.slice(0, 300));
});

/** Each in a process of its own, which says how much memory it took at most. */
const heavy: Readonly<Record<string, string>> = {
  'a graph of 3,000,000 nodes': `field(7, ...repeat(node('Relu', ['x'], ['y']), 1, 3e6))`,
  '6,000,000 alternating unknown fields': `field(7, ...[join(...Array(1000).fill(join(integer(100, 1), integer(101, 1))))].flatMap(x => Array(3000).fill(x)))`,
  'a graph of 2,000,000 tensors without data': `field(7, ...repeat(field(8, 'w'), 5, 2e6))`,
  '10,000,000 single numbers of a typed tensor': `field(7, field(5, integer(1, 1e7), integer(2, 7), field(8, 'w'), ...Array(1e4).fill(join(...Array(1e3).fill(integer(7, 1))))))`,
  'an attribute of 15,000,000 single numbers': `field(7, field(1, node('A', [], [], field(5, field(1, 'v'), ...Array(1.5e4).fill(join(...Array(1e3).fill(integer(8, 1)))), integer(20, 7)))))`,
  'an attribute of 60,000,000 numbers': `field(7, field(1, node('A', [], [], field(5, field(1, 'v'), field(8, new Uint8Array(6e7).fill(1)), integer(20, 7)))))`,
};
for (const [what, expression] of Object.entries(heavy)) {
  test(`${what}: opened or refused within 1 GiB and 60 s`, { timeout: 60_000 }, () => {
    const folder = resolve(import.meta.dirname, '../core/format');
    const script = `
      import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
      import { spawnSync } from 'node:child_process';
      import { field, integer, join, node } from ${JSON.stringify(`${folder}/protobuf.ts`)};
      const repeat = (bytes, number, count) => { const one = field(number, bytes); const block = join(...Array(1000).fill(one)); return Array(count / 1000).fill(block); };
      const path = process.argv[1];
      writeFileSync(path, join(integer(1, 8), ${expression}));`;
    const opening = `
      import { openFileSource } from ${JSON.stringify(resolve(folder, '../../../src/core/bytes/file.ts'))};
      import { memoryFolder } from ${JSON.stringify(resolve(folder, '../../../src/core/bytes/memory.ts'))};
      import { openModel } from ${JSON.stringify(resolve(folder, '../../../src/core/format/open.ts'))};
      const source = await openFileSource(process.argv[1]);
      const result = await openModel(source, memoryFolder()).then(() => 'opened', error => error.code ?? error.stack);
      console.log(JSON.stringify({ result, peak: process.resourceUsage().maxRSS * 1024 }));`;
    const path = `${process.env.TMPDIR ?? '/tmp'}/headroom-heavy-${process.pid}.onnx`;
    try {
      const made = spawnSync(process.execPath, ['--input-type=module', '-e', script, path], { encoding: 'utf8' });
      assert.equal(made.status, 0, made.stderr);
      const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', opening, path], { encoding: 'utf8' });
      assert.ok(stdout, stderr);
      const { result, peak } = JSON.parse(stdout);
      assert.ok(['opened', 'limit'].includes(result), result);
      assert.ok(peak < 2 ** 30, `${result} with ${(peak / 2 ** 20).toFixed(0)} MiB`);
    } finally {
      spawnSync('rm', ['-f', path]);
    }
  });
}
