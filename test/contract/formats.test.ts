import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { describe, test } from 'node:test';
import onnxProto from 'onnx-proto';
import { CountingSource } from '../../src/core/bytes/counting.ts';
import { openFileSource } from '../../src/core/bytes/file.ts';
import { fileFolder } from '../../src/core/bytes/folder.ts';
import { memoryOutput } from '../../src/core/bytes/memory.ts';
import { HeadroomError } from '../../src/core/errors.ts';
import { openModel } from '../../src/core/format/open.ts';
import { formatOf, formats } from '../../src/core/format/registry.ts';
import { closeModel } from '../../src/core/format/stored.ts';
import type { Model } from '../../src/core/model/model.ts';
import { floatsOf, readFloats } from '../../src/core/tensor/floats.ts';
import { elementCount } from '../../src/core/tensor/tensor.ts';

const { ModelProto } = onnxProto.onnx;
const shared = resolve(import.meta.dirname, '../../../shared');

/** Files of third-party that cannot open, and why. Everything else must. */
const refused: Readonly<Record<string, string>> = {
  'external-data/refused/test_arbitrary_external_file.onnx': 'outside-folder', // ../../../../../../../etc/passwd
  'external-data/refused/test_evil_weights.onnx': 'missing-file', // */_ORT_MEM_ADDR_/*: an address in memory, where there is no file
  'models/onnxruntime-onnxruntime-qnn__test_evil_weights.onnx': 'missing-file', // the same file
  'external-data/trt-missing/ext_weights.onnx': 'missing-file',
  'models/sdpython-experimental-experiment__layernorm.onnx': 'missing-file', // published without its data
  'models/NVIDIA-TensorRT__invalid.onnx': 'not-a-model', // text; onnx.load: DecodeError
  'models/lutzroeder-netron__corrupted.onnx': 'not-a-model', // text
  'models/onnxruntime-onnxruntime-qnn__corrupt-model.onnx': 'not-a-model', // text
  'models/vespa-engine-vespa__a.onnx': 'empty', // zero bytes
  'models/syoyo-safetensors-cpp__safetensors_abuse_attempt_1.safetensors': 'truncated', // 88 bytes with a header of 1,000
};

/** Tensors without data: published so ("weightless"), to be filled by the program that loads them. */
const isWeightless = (path: string): boolean => basename(path).includes('weightless');

function* modelFiles(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* modelFiles(path);
    else if (/\.(onnx|safetensors)$|\.safetensors\.index\.json$/.test(entry.name)) yield path;
  }
}

async function open(path: string): Promise<{ model: Model; counting: CountingSource }> {
  const counting = new CountingSource(await openFileSource(path));
  try {
    return { model: await openModel(counting, fileFolder(dirname(path))), counting };
  } catch (error) {
    await counting.close();
    throw error;
  }
}

test('the registry has each format once', () => {
  assert.deepEqual(formats.map(({ id }) => id).sort(), ['onnx', 'safetensors']);
  for (const format of formats) assert.equal(formatOf(format.id), format);
});

for (const [name, skipped] of [
  ['generated', 'no generated models'],
  ['third-party', 'no third-party models'],
] as const) {
  const root = join(shared, name);
  describe(name, { skip: !existsSync(root) && skipped }, () => {
    if (!existsSync(root)) return;
    for (const path of modelFiles(root)) {
      const file = relative(root, path);
      // Their verdicts are those of expected.json, in core/format/safetensors.test.ts.
      if (file.startsWith('safetensors-cases')) continue;
      const code = file.startsWith('lfs-pointers') ? 'lfs-pointer' : refused[file];
      if (code) test(`${file} is refused: ${code}`, () => isRefused(path, code));
      else test(`${file} opens, sums up, reads little, and is written back byte for byte`, () => holds(path));
    }
  });
}

async function isRefused(path: string, code: string): Promise<void> {
  await assert.rejects(open(path), (error: unknown) => {
    assert.ok(error instanceof HeadroomError);
    assert.deepEqual([error.code, error.file], [code, code === 'outside-folder' ? undefined : basename(path)], error.message);
    return true;
  });
}

async function holds(path: string): Promise<void> {
  const { model, counting } = await open(path);
  try {
    const weights = model.parts
      .filter(({ kind, file }) => kind === 'tensors' && file === counting.name)
      .reduce((sum, part) => sum + part.byteLength, 0);
    // The head is read twice (to tell the format); windows reach at most 256 KiB beyond what is needed.
    assert.ok(
      counting.bytes <= 64 + counting.byteLength - weights + 4096 * (model.tensors.size + 1),
      `read ${counting.bytes} of ${counting.byteLength}, ${weights} of weights`,
    );
    assert.equal(
      model.parts.reduce((sum, part) => sum + part.byteLength, 0),
      model.byteLength,
    );
    assert.ok(model.parts.every(part => part.byteLength >= 0));
    await tensorsHold(model, path);
    await writesBack(model, path);
    await readsWhatTheSchemaReads(model, path);
  } finally {
    await closeModel(model);
  }
}

async function tensorsHold(model: Model, path: string): Promise<void> {
  for (const [name, tensor] of model.tensors) {
    assert.equal(tensor.name, name);
    if (isWeightless(path)) continue;
    const bytes = await tensor.bytes();
    assert.equal(bytes.length, tensor.byteLength, name);
    const middle = Math.floor(bytes.length / 2);
    assert.ok(Buffer.concat([await tensor.bytes(0, middle), await tensor.bytes(middle)]).equals(bytes), name);
  }
}

async function writesBack(model: Model, path: string): Promise<void> {
  const format = formatOf(model.format);
  const name = basename(path);
  const files = new Map<string, Uint8Array>();
  const output = memoryOutput(files);
  const plan = await format.plan(model, name);
  await format.write(model, output, name);
  await output.commit();
  assert.deepEqual(
    plan.map(file => [file.name, file.byteLength]),
    [...files].map(([file, bytes]) => [file, bytes.length]),
  );
  for (const [file, bytes] of files) assert.ok(Buffer.from(bytes).equals(readFileSync(join(dirname(path), file))), file);
  if (model.format === 'onnx') await relistedIsSame(model, path);
}

/** A graph whose nodes were only put into a new list goes the way of a changed one, and loses nothing. */
async function relistedIsSame(model: Model, path: string): Promise<void> {
  const changed: Model = { ...model, graph: { ...model.graph!, nodes: [...model.graph!.nodes] } };
  const files = new Map<string, Uint8Array>();
  const output = memoryOutput(files);
  await formatOf('onnx').write(changed, output, 'out.onnx');
  await output.commit();
  // Read by the schema and encoded again, both have the same order and the shortest numbers.
  const inSchema = (bytes: Uint8Array): Uint8Array => {
    const proto = ModelProto.decode(bytes);
    // Data that lay outside is inside now.
    if (model.parts.some(part => part.kind === 'external')) proto.graph!.initializer = [];
    return ModelProto.encode({ ...proto, graph: proto.graph ?? {} }).finish();
  };
  assert.ok(Buffer.from(inSchema(files.get('out.onnx')!)).equals(inSchema(readFileSync(path))));
}

/** Data that is neither raw nor external, against what onnx-proto decodes. */
async function readsWhatTheSchemaReads(model: Model, path: string): Promise<void> {
  if (model.format !== 'onnx') return;
  const decoded = ModelProto.decode(readFileSync(path));
  for (const proto of decoded.graph?.initializer ?? []) {
    const tensor = model.tensors.get(proto.name ?? '');
    if (!tensor || proto.dataLocation === 1) continue;
    const numbers = [
      ...(proto.floatData ?? []),
      ...(proto.doubleData ?? []),
      ...(proto.int64Data ?? []),
      ...(proto.uint64Data ?? []),
    ];
    const isPlainInt32 = ['int32', 'int16', 'int8', 'uint16', 'uint8', 'bool'].includes(tensor.dtype);
    if (isPlainInt32) numbers.push(...(proto.int32Data ?? []));
    const expected =
      numbers.length > 0
        ? Float32Array.from(numbers, Number)
        : proto.rawData?.length && !['string', 'complex64', 'complex128'].includes(tensor.dtype)
          ? floatsOf(tensor.dtype, proto.rawData, elementCount(tensor.shape))
          : undefined;
    if (expected) assert.ok(Buffer.from((await readFloats(tensor)).buffer).equals(new Uint8Array(expected.buffer)), tensor.name);
  }
}
