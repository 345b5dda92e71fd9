import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { memoryOutput } from '../../../src/core/bytes/memory.ts';
import type { Code } from '../../../src/core/errors.ts';
import { layoutSafetensors, writeSafetensors } from '../../../src/core/format/safetensors/write.ts';
import { writeLayout } from '../../../src/core/format/write.ts';
import type { Model } from '../../../src/core/model/model.ts';
import { type DType, dtypes } from '../../../src/core/tensor/dtype.ts';
import type { Tensor } from '../../../src/core/tensor/tensor.ts';
import { codeOf, floatEntry, openBytes, rejectsWith, safetensorsFile } from './open-bytes.ts';

const cases = resolve(import.meta.dirname, '../../../../shared/third-party/safetensors-cases');

/** What the reference library calls it, and what we do: cut short and too large are told from malformed. */
const verdicts: Record<string, readonly Code[]> = {
  HeaderTooSmall: ['empty', 'truncated'],
  HeaderTooLarge: ['limit'],
  InvalidHeaderLength: ['truncated'],
  InvalidHeader: ['malformed'],
  InvalidHeaderDeserialization: ['malformed'],
  TensorInvalidInfo: ['malformed'],
  ValidationOverflow: ['limit'],
  MetadataIncompleteBuffer: ['malformed', 'truncated'],
};

test('every verdict of the reference library on its own test files is ours', {
  skip: !existsSync(cases) && 'no third-party models',
}, async () => {
  const expected: Record<string, string> = JSON.parse(readFileSync(join(cases, 'expected.json'), 'utf8'));
  assert.deepEqual(
    Object.keys(expected).sort(),
    readdirSync(cases)
      .filter(name => name.endsWith('.safetensors'))
      .sort(),
  );
  for (const [name, verdict] of Object.entries(expected)) {
    const opened = openBytes(name, new Uint8Array(readFileSync(join(cases, name))));
    if (verdict === 'ok') await opened;
    else assert.ok(verdicts[verdict]!.includes((await codeOf(opened)).code), `${name}: ${verdict}`);
  }
});

// Each line was tried with safetensors 0.8.0 in Python: `ok` is whether it opens there.
const I32 = (start: number, end: number) => `{"dtype":"I32","shape":[1],"data_offsets":[${start},${end}]}`;
const headers: readonly [what: string, header: string, dataLength: number, ok: boolean][] = [
  ['a name twice with the same place', `{"a":${I32(0, 4)},"a":${I32(0, 4)}}`, 4, true],
  ['a name twice, the last one leaving a hole', `{"a":${I32(0, 4)},"a":${I32(4, 8)}}`, 8, false],
  ['a name twice, the last one good', `{"a":${I32(4, 8)},"a":${I32(0, 4)}}`, 4, true],
  ['a hole', `{"a":${I32(0, 4)},"b":${I32(8, 12)}}`, 12, false],
  ['an overlap', `{"a":${I32(0, 4)},"b":${I32(0, 4)}}`, 4, false],
  ['an unknown field in an entry', `{"a":${I32(0, 4).slice(0, -1)},"x":1}}`, 4, true],
  ['a field of an entry twice', `{"a":${I32(0, 4).slice(0, -1)},"dtype":"I32"}}`, 4, false],
  ['__metadata__ twice', `{"__metadata__":{"a":"1"},"__metadata__":{"b":"1"},"a":${I32(0, 4)}}`, 4, false],
  ['a key of __metadata__ twice', `{"__metadata__":{"a":"1","a":"2"},"a":${I32(0, 4)}}`, 4, true],
  ['metadata that is not text', `{"__metadata__":{"a":1},"a":${I32(0, 4)}}`, 4, false],
  ['metadata null', `{"__metadata__":null,"a":${I32(0, 4)}}`, 4, true],
  ['a shape of 1.0', `{"a":${I32(0, 4).replace('[1]', '[1.0]')}}`, 4, false],
  ['a shape of 1e0', `{"a":${I32(0, 4).replace('[1]', '[1e0]')}}`, 4, false],
  ['a shape of -0', `{"a":{"dtype":"I32","shape":[-0],"data_offsets":[0,0]}}`, 0, false],
  ['three offsets', `{"a":{"dtype":"I32","shape":[1],"data_offsets":[0,4,5]}}`, 4, false],
  ['a byte order mark', `\ufeff{"a":${I32(0, 4)}}`, 4, false],
  ['text after the header', `{"a":${I32(0, 4)}}x`, 4, false],
  ['zeros after the header', `{"a":${I32(0, 4)}}\0`, 4, false],
  ['a line break in a name', `{"a\n":${I32(0, 4)}}`, 4, false],
  ['no tensor', '{}', 0, true],
  ['no tensor, but data', '{}', 4, false],
  ['a list', '[]', 0, false],
  ['null for an entry', '{"a":null}', 0, false],
  ['an unknown dtype', '{"a":{"dtype":"I4","shape":[8],"data_offsets":[0,4]}}', 4, false],
  ['three elements of 4 bits', '{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}', 2, false],
  ['four elements of 6 bits', '{"a":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[0,3]}}', 3, true],
  ['an empty tensor before another', `{"a":{"dtype":"I32","shape":[0],"data_offsets":[0,0]},"b":${I32(0, 4)}}`, 4, true],
  ['an empty tensor within another', `{"a":${I32(0, 4)},"b":{"dtype":"I32","shape":[0],"data_offsets":[2,2]}}`, 4, false],
  [
    'a count that overflows before it is zero',
    '{"b":{"dtype":"I32","shape":[18446744073709551615,2,0],"data_offsets":[0,0]}}',
    0,
    false,
  ],
  ['deep nesting', `{"b":${'['.repeat(200)}${']'.repeat(200)}}`, 0, false],
];
for (const [what, header, dataLength, ok] of headers) {
  test(`${what}: ${ok ? 'opens' : 'is refused'}, as by the reference library`, async () => {
    const opened = openBytes('a.safetensors', safetensorsFile(header, new Uint8Array(dataLength)));
    if (ok) await opened;
    else assert.ok(['malformed', 'limit'].includes((await codeOf(opened)).code));
  });
}

test('a file that is cut short names the first tensor without all of its data', async () => {
  const file = safetensorsFile({ a: floatEntry(2, 0), b: floatEntry(2, 8), c: floatEntry(2, 16) }, new Uint8Array(24));
  const error = await rejectsWith('truncated', openBytes('m.safetensors', file.subarray(0, file.length - 10)));
  assert.equal(error.sentence.args?.name, 'b');
  assert.equal(error.sentence.args?.a, file.length);
  assert.equal(error.sentence.args?.b, file.length - 10);
  assert.equal(error.offset, file.length - 16);
});

const shard = (name: string, first: number) =>
  safetensorsFile({ [name]: floatEntry(2, 0) }, new Uint8Array(Float32Array.of(first, 2).buffer));
const sharded = {
  'm-00001-of-00002.safetensors': shard('a', 1),
  'm-00002-of-00002.safetensors': shard('b', 3),
  'm.safetensors.index.json': Buffer.from(
    '{"metadata":{"total_size":16},"weight_map":{"a":"m-00001-of-00002.safetensors","b":"m-00002-of-00002.safetensors"}}',
  ),
};

test('a shard opened by itself opens the whole set, as the index does', async () => {
  for (const [name, bytes] of Object.entries(sharded)) {
    const model = await openBytes(name, bytes, sharded);
    assert.deepEqual([...model.tensors.keys()], ['a', 'b'], name);
    assert.equal(model.complete, true);
    assert.equal(
      model.byteLength,
      Object.values(sharded).reduce((sum, { length }) => sum + length, 0),
    );
    assert.equal(
      model.parts.reduce((sum, part) => sum + part.byteLength, 0),
      model.byteLength,
    );
  }
});

test('a missing shard leaves the model incomplete, with a warning that names it, and it cannot be written', async () => {
  const { 'm-00002-of-00002.safetensors': _, ...rest } = sharded;
  const model = await openBytes('m.safetensors.index.json', sharded['m.safetensors.index.json'], rest);
  assert.equal(model.complete, false);
  assert.equal(model.warnings[0]?.message.args?.file, 'm-00002-of-00002.safetensors');
  assert.throws(() => layoutSafetensors(model, 'x.safetensors'), { code: 'missing-file' });
});

test('an index that points outside its folder is refused, one without a map too', async () => {
  const index = (text: string) => openBytes('m.safetensors.index.json', Buffer.from(text));
  await rejectsWith('outside-folder', index('{"weight_map":{"a":"../x.safetensors"}}'));
  for (const text of ['{}', '{"weight_map":[]', '{"weight_map":{"a":1}}', '[1]']) await codeOf(index(text));
});

test('config.json beside is read; a broken one is a warning', async () => {
  const file = shard('a', 1);
  assert.equal(
    (await openBytes('m.safetensors', file, { 'config.json': Buffer.from('{"hidden_size":8}') })).config.hidden_size,
    8,
  );
  const broken = await openBytes('m.safetensors', file, { 'config.json': Buffer.from('{"hidden_size":') });
  assert.deepEqual(broken.config, {});
  assert.equal(broken.warnings[0]?.code, 'config');
});

function madeTensor(name: string, dtype: DType, shape: readonly number[], fill = 7): Tensor {
  const byteLength = Math.ceil((shape.reduce((a, b) => a * b, 1) * dtypes[dtype].bits) / 8);
  return { name, dtype, shape, byteLength, bytes: async (start = 0, end = byteLength) => new Uint8Array(end - start).fill(fill) };
}

const changed = (model: Model, ...more: readonly Tensor[]): Model => ({
  ...model,
  tensors: new Map([...model.tensors, ...more.map(tensor => [tensor.name, tensor] as const)]),
});

async function written(model: Model, name: string, limit?: number): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const output = memoryOutput(files);
  await writeLayout(model, layoutSafetensors(model, name, limit), output);
  await output.commit();
  return files;
}

test('a changed model has the order, the header and the padding that safetensors 0.8.0 writes', async () => {
  const model = await openBytes('m.safetensors', safetensorsFile({ __metadata__: { format: 'pt' } }));
  const tensors: [string, DType, number[]][] = [
    ['bool', 'bool', [2]],
    ['uint8', 'uint8', [2]],
    ['int8', 'int8', [2]],
    ['int16', 'int16', [2]],
    ['uint16', 'uint16', [2]],
    ['float16', 'fp16', [2]],
    ['bfloat16', 'bf16', [2]],
    ['int32', 'int32', [2]],
    ['uint32', 'uint32', [2]],
    ['float32', 'fp32', [2]],
    ['float64', 'fp64', [2]],
    ['int64', 'int64', [2]],
    ['uint64', 'uint64', [2]],
    ['float8_e4m3fn', 'fp8_e4m3fn', [2]],
    ['float8_e5m2', 'fp8_e5m2', [2]],
    ['float8_e8m0fnu', 'fp8_e8m0', [2]],
    ['complex64', 'complex64', [2]],
    ['float4_e2m1fn_x2', 'fp4_e2m1', [4]],
    ['float8_e4m3fnuz', 'fp8_e4m3fnuz', [2]],
    ['float8_e5m2fnuz', 'fp8_e5m2fnuz', [2]],
    ['F32b', 'fp32', [2]],
    ['a\né"\u2028\x7f', 'fp32', []],
  ];
  const files = await written(
    changed(model, ...tensors.map(([name, dtype, shape]) => madeTensor(name, dtype, shape))),
    'out.safetensors',
  );
  const file = Buffer.from(files.get('out.safetensors')!);
  const length = Number(file.readBigUInt64LE(0));
  assert.equal(length % 8, 0);
  const reference =
    '{"__metadata__":{"format":"pt"},"uint64":{"dtype":"U64","shape":[2],"data_offsets":[0,16]},"int64":{"dtype":"I64","shape":[2],"data_offsets":[16,32]},"float64":{"dtype":"F64","shape":[2],"data_offsets":[32,48]},"complex64":{"dtype":"C64","shape":[2],"data_offsets":[48,64]},"F32b":{"dtype":"F32","shape":[2],"data_offsets":[64,72]},"a\\né\\"\u2028\x7f":{"dtype":"F32","shape":[],"data_offsets":[72,76]},"float32":{"dtype":"F32","shape":[2],"data_offsets":[76,84]},"uint32":{"dtype":"U32","shape":[2],"data_offsets":[84,92]},"int32":{"dtype":"I32","shape":[2],"data_offsets":[92,100]},"bfloat16":{"dtype":"BF16","shape":[2],"data_offsets":[100,104]},"float16":{"dtype":"F16","shape":[2],"data_offsets":[104,108]},"uint16":{"dtype":"U16","shape":[2],"data_offsets":[108,112]},"int16":{"dtype":"I16","shape":[2],"data_offsets":[112,116]},"float8_e5m2fnuz":{"dtype":"F8_E5M2FNUZ","shape":[2],"data_offsets":[116,118]},"float8_e4m3fnuz":{"dtype":"F8_E4M3FNUZ","shape":[2],"data_offsets":[118,120]},"float8_e8m0fnu":{"dtype":"F8_E8M0","shape":[2],"data_offsets":[120,122]},"float8_e4m3fn":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[122,124]},"float8_e5m2":{"dtype":"F8_E5M2","shape":[2],"data_offsets":[124,126]},"int8":{"dtype":"I8","shape":[2],"data_offsets":[126,128]},"uint8":{"dtype":"U8","shape":[2],"data_offsets":[128,130]},"float4_e2m1fn_x2":{"dtype":"F4","shape":[4],"data_offsets":[130,132]},"bool":{"dtype":"BOOL","shape":[2],"data_offsets":[132,134]}} ';
  assert.equal(file.subarray(8, 8 + length).toString(), reference);
  assert.equal(file.length, 8 + length + 134);
});

test('a changed sharded model becomes one file, and more than the limit several with an index', async () => {
  const model = changed(
    await openBytes('m.safetensors.index.json', sharded['m.safetensors.index.json'], sharded),
    madeTensor('c', 'fp32', [2]),
  );
  const one = await written(model, 'm.safetensors.index.json');
  assert.deepEqual([...one.keys()], ['m.safetensors']);
  const several = await written(model, 'out.safetensors', 16);
  assert.deepEqual(
    [...several.keys()],
    ['out.safetensors.index.json', 'out-00001-of-00002.safetensors', 'out-00002-of-00002.safetensors'],
  );
  const again = await openBytes(
    'out.safetensors.index.json',
    several.get('out.safetensors.index.json')!,
    Object.fromEntries(several),
  );
  for (const [name, tensor] of model.tensors)
    assert.deepEqual(await again.tensors.get(name)!.bytes(), await tensor.bytes(), name);
});

test('an untouched sharded model under another name has the same shards and an index that names them', async () => {
  const model = await openBytes('m.safetensors.index.json', sharded['m.safetensors.index.json'], sharded);
  const files = await written(model, 'copy.safetensors');
  assert.deepEqual(files.get('copy-00002-of-00002.safetensors'), sharded['m-00002-of-00002.safetensors']);
  const again = await openBytes(
    'copy.safetensors.index.json',
    files.get('copy.safetensors.index.json')!,
    Object.fromEntries(files),
  );
  assert.deepEqual([...again.tensors.keys()], ['a', 'b']);
  assert.equal(again.complete, true);
});

test('a type that safetensors does not have is refused by name', async () => {
  const model = changed(await openBytes('m.safetensors', shard('a', 1)), madeTensor('q', 'int4', [4]));
  const error = await rejectsWith('unsupported', writeSafetensors(model, memoryOutput(new Map()), 'x.safetensors'));
  assert.equal(error.sentence.args?.name, 'q');
});
