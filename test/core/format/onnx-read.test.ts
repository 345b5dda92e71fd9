import assert from 'node:assert/strict';
import { test } from 'node:test';
import onnxProto from 'onnx-proto';
import { floatsOf, readFloats } from '../../../src/core/tensor/floats.ts';
import { codeOf, openBytes, rejectsWith, safetensorsFile } from './open-bytes.ts';
import {
  externalTensor,
  field,
  floats,
  group,
  integer,
  join,
  linear,
  model,
  node,
  opset,
  rawTensor,
  value,
  varint,
} from './protobuf.ts';

const { onnx } = onnxProto;
const open = (bytes: Uint8Array, beside: Readonly<Record<string, Uint8Array>> = {}) => openBytes('m.onnx', bytes, beside);

test('a graph is read: nodes, inputs, outputs, initializers with their places', async () => {
  const read = await open(linear());
  const { graph } = read;
  assert.deepEqual(
    graph?.nodes.map(({ opType, inputs, outputs }) => [opType, inputs, outputs]),
    [
      ['MatMul', ['x', 'w'], ['m']],
      ['Add', ['m', 'b'], ['y']],
    ],
  );
  assert.deepEqual([graph?.inputs[0]?.name, graph?.inputs[0]?.dtype, graph?.inputs[0]?.shape], ['x', 'fp32', ['n', 2]]);
  assert.deepEqual(graph?.initializers, ['w', 'b']);
  assert.deepEqual([graph?.irVersion, graph?.opsets.get('')], [8, 17]);
  const w = read.tensors.get('w')!;
  assert.deepEqual([w.dtype, w.shape, w.byteLength], ['fp32', [2, 3], 24]);
  assert.deepEqual([...floatsOf('fp32', linear().slice(w.place!.offset, w.place!.offset + 24), 6)], [1, 2, 3, 4, 5, 6]);
  assert.deepEqual([...(await readFloats(w, 2, 4))], [3, 4]);
});

test('fields in any order, a graph in two pieces, overlong numbers, groups and unknown fields at every level change nothing', async () => {
  const unknown = join(
    field(100, 'zz'),
    integer(101, -1),
    group(102, group(103, integer(1, 5)), field(7, 'x')),
    join(varint(104 * 8 + 5), floats(1)),
    join(varint(105 * 8 + 1), floats(1, 2)),
  );
  const tensor = join(
    unknown,
    field(9, floats(1, 2, 3, 4, 5, 6)),
    field(8, 'w'),
    varint(1 * 8),
    varint(2, 9),
    integer(1, 3),
    unknown,
    integer(2, 1),
  );
  const second = join(unknown, field(5, tensor), field(2, 'g'));
  const first = join(field(12, value('y', 'n', 3)), field(1, node('MatMul', ['x', 'w'], ['y'], unknown)), unknown);
  const length = varint(second.length, 8);
  const odd = join(unknown, field(7, first), opset(17), varint(7 * 8 + 2), length, second, unknown, integer(1, 8));
  const read = await open(odd);
  assert.deepEqual([read.graph?.name, read.graph?.nodes.length, read.graph?.irVersion], ['g', 1, 8]);
  assert.deepEqual(read.tensors.get('w')?.shape, [2, 3]);
  assert.deepEqual([...(await readFloats(read.tensors.get('w')!))], [1, 2, 3, 4, 5, 6]);
});

test('dims are read packed and unpacked', async () => {
  const packed = join(field(1, varint(2), varint(300)), integer(2, 2), field(8, 'w'), field(9, new Uint8Array(600)));
  assert.deepEqual((await open(model(field(5, packed)))).tensors.get('w')?.shape, [2, 300]);
});

test('tensors of attributes and of graphs within attributes have unique names', async () => {
  const branch = (x: number) =>
    join(field(1, node('Identity', ['w'], ['o'])), field(5, rawTensor('w', 1, [1], floats(x))), field(2, 'b'));
  const graphs = (a: number) => [
    field(5, field(1, 'then_branch'), field(6, branch(a)), integer(20, 5)),
    field(5, field(1, 'else_branch'), field(6, branch(a + 1)), integer(20, 5)),
  ];
  const constant = node(
    'Constant',
    [],
    ['k'],
    field(5, field(1, 'value'), field(5, rawTensor('', 1, [1], floats(9))), integer(20, 4)),
  );
  const read = await open(
    model(
      field(1, constant),
      field(1, node('If', ['c'], ['p'], ...graphs(1))),
      field(1, node('If', ['c'], ['q'], ...graphs(3))),
      field(5, rawTensor('w', 1, [1], floats(0))),
    ),
  );
  assert.deepEqual(
    [...read.tensors.keys()],
    ['w', 'k', 'then_branch/w', 'else_branch/w', 'then_branch (2)/w', 'else_branch (2)/w'],
  );
  const numbers = await Promise.all([...read.tensors.values()].map(async tensor => (await readFloats(tensor))[0]));
  assert.deepEqual(numbers, [0, 9, 1, 2, 3, 4]);
  const attribute = read.graph!.nodes[1]!.attributes.get('else_branch');
  assert.equal(attribute?.type === 'graph' && attribute.value.scope, 'else_branch/');
});

test('a Constant of numbers is a tensor under the name of its output', async () => {
  const constant = (output: string, name: string, ...content: readonly Uint8Array[]) =>
    field(1, node('Constant', [], [output], field(5, field(1, name), ...content)));
  const read = await open(
    model(
      constant('f', 'value_float', join(varint(2 * 8 + 5), floats(1.5)), integer(20, 1)),
      constant('fs', 'value_floats', field(7, floats(1, 2)), integer(20, 6)),
      constant('i', 'value_int', integer(3, -7), integer(20, 2)),
      constant('is', 'value_ints', integer(8, 3), integer(8, -4), integer(20, 7)),
    ),
  );
  const all = Object.fromEntries(
    await Promise.all([...read.tensors].map(async ([name, t]) => [name, [t.dtype, t.shape, [...(await readFloats(t))]]])),
  );
  assert.deepEqual(all, {
    f: ['fp32', [], [1.5]],
    fs: ['fp32', [2], [1, 2]],
    i: ['int64', [], [-7]],
    is: ['int64', [2], [3, -4]],
  });
});

test('two initializers of one name are both there', async () => {
  const read = await open(model(field(5, rawTensor('w', 1, [1], floats(1))), field(5, rawTensor('w', 1, [1], floats(2)))));
  assert.deepEqual([...read.tensors.keys()], ['w', 'w (2)']);
});

// TensorProto's typed fields, encoded by onnx-proto and decoded by hand here.
const typed: readonly [dtype: number, fields: object, dims: number[], expected: number[]][] = [
  [1, { floatData: [1.5, -2] }, [2], [1.5, -2]],
  [11, { doubleData: [0.5, -2] }, [2], [0.5, -2]],
  [6, { int32Data: [-1, 2 ** 31 - 1] }, [2], [-1, 2 ** 31]],
  [3, { int32Data: [-1, 127] }, [2], [-1, 127]],
  [2, { int32Data: [255, 1] }, [2], [255, 1]],
  [5, { int32Data: [-300, 300] }, [2], [-300, 300]],
  [4, { int32Data: [65535] }, [1], [65535]],
  [9, { int32Data: [1, 0] }, [2], [1, 0]],
  [10, { int32Data: [0x3c00, 0xc000] }, [2], [1, -2]],
  [16, { int32Data: [0x3f80, 0xc000] }, [2], [1, -2]],
  [17, { int32Data: [0x38, 0xb8] }, [2], [1, -1]],
  [22, { int32Data: [0x8f, 0x07] }, [3], [-1, -8, 7]],
  [26, { int32Data: [0b11_10_01_00] }, [4], [0, 1, -2, -1]],
  [27, { int32Data: [4, 8, 16, 52, 31] }, [5], [0.5, 1, 2, -3, 7.5]],
  [7, { int64Data: [-5, 2 ** 40] }, [2], [-5, 2 ** 40]],
  [12, { uint64Data: [2 ** 32 - 1] }, [1], [2 ** 32]],
  [13, { uint64Data: [2 ** 40] }, [1], [2 ** 40]],
];
for (const [dataType, fields, dims, expected] of typed) {
  const names = Object.keys(fields).join();
  test(`data type ${dataType} in ${names} is decoded, packed and unpacked`, async () => {
    const encoded = onnx.TensorProto.encode({ name: 't', dims, dataType, ...fields }).finish();
    for (const tensor of [encoded, unpackedOf(encoded)]) {
      const read = (await open(model(field(5, tensor)))).tensors.get('t')!;
      assert.deepEqual([...(await readFloats(read))], expected);
      assert.equal((await read.bytes()).length, read.byteLength);
      assert.deepEqual(await read.bytes(1, read.byteLength), (await read.bytes()).slice(1));
    }
  });
}

/** The same message with its packed numbers as single fields. */
function unpackedOf(bytes: Uint8Array): Uint8Array {
  const { name, dims, dataType, ...data } = onnx.TensorProto.decode(bytes);
  const head = onnx.TensorProto.encode({ name: name!, dims: dims!, dataType: dataType! }).finish();
  const {
    floatData = [],
    doubleData = [],
    int32Data = [],
    int64Data = [],
    uint64Data = [],
  } = data as unknown as Record<string, (number | { toNumber(): number })[]>;
  const number = (value: number | { toNumber(): number }) => (typeof value === 'number' ? value : value.toNumber());
  return join(
    head,
    ...floatData.map(x => join(varint(4 * 8 + 5), floats(number(x)))),
    ...doubleData.map(x => join(varint(10 * 8 + 1), new Uint8Array(Float64Array.of(number(x)).buffer))),
    ...int32Data.map(x => integer(5, number(x))),
    ...int64Data.map(x => integer(7, number(x))),
    ...uint64Data.map(x => integer(11, number(x))),
  );
}

test('typed data that is not as long as the shape is an error when it is read', async () => {
  for (const count of [1, 3]) {
    const tensor = onnx.TensorProto.encode({ name: 't', dims: [2], dataType: 6, int32Data: Array(count).fill(1) }).finish();
    await rejectsWith('malformed', (await open(model(field(5, tensor)))).tensors.get('t')!.bytes());
  }
});

test('raw data that is not as long as the shape is an error with name, need and offset', async () => {
  const error = await rejectsWith('malformed', open(model(field(5, rawTensor('w', 1, [3], floats(1, 2))))));
  assert.deepEqual(error.sentence.args, { name: 'w', dtype: 'fp32', shape: '[3]', need: 12, found: 8 });
  assert.ok(error.offset! > 0);
});

const external = (keys: Record<string, string>, beside: Record<string, Uint8Array> = { 'd.bin': join(floats(0, 1, 2, 3)) }) =>
  open(model(field(5, externalTensor('w', [2], keys))), beside);

test('external data is found by offset and length, by offset alone, and from the start', async () => {
  for (const [keys, expected] of [
    [{ location: 'd.bin', offset: '8', length: '8' }, [2, 3]],
    [{ location: './d.bin', offset: '4' }, [1, 2]],
    [{ location: 'd.bin' }, [0, 1]],
  ] as const) {
    const read = await external(keys);
    assert.deepEqual([...(await readFloats(read.tensors.get('w')!))], expected);
    assert.deepEqual(read.parts.at(-1), { kind: 'external', file: 'd.bin', byteLength: 16 });
    assert.equal(read.tensors.get('w')?.place?.file, 'd.bin');
  }
});

test('external data in a safetensors file is found by offset, by name and by a key that names it', async () => {
  const file = safetensorsFile(
    { a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] }, w: { dtype: 'F32', shape: [2], data_offsets: [8, 16] } },
    floats(1, 2, 3, 4),
  );
  const beside = { 'model.safetensors': file };
  const numbers = async (keys: Record<string, string>) => [
    ...(await readFloats((await external(keys, beside)).tensors.get('w')!)),
  ];
  assert.deepEqual(await numbers({ location: 'model.safetensors', offset: String(file.length - 8), length: '8' }), [3, 4]);
  assert.deepEqual(await numbers({ location: 'model.safetensors' }), [3, 4]);
  assert.deepEqual(await numbers({ location: 'model.safetensors', tensor_name: 'a' }), [1, 2]);
  await rejectsWith('malformed', external({ location: 'model.safetensors', name: 'none' }, beside));
});

test('external data that is missing, outside, cut short or not a number is refused by name', async () => {
  const missing = await rejectsWith('missing-file', external({ location: 'none.bin' }));
  assert.equal(missing.sentence.args?.file, 'none.bin');
  for (const location of ['../d.bin', '/d.bin', 'C:\\d.bin']) await rejectsWith('outside-folder', external({ location }));
  const short = await rejectsWith('truncated', external({ location: 'd.bin', offset: '12' }));
  assert.deepEqual([short.file, short.offset], ['d.bin', 12]);
  for (const offset of ['-4', '4x', '1e3', '99999999999999999999'])
    await rejectsWith('malformed', external({ location: 'd.bin', offset }));
  await rejectsWith('malformed', external({}));
  await rejectsWith('malformed', external({ location: 'd.bin', length: '4' }));
});

test('a type that is not known is a warning, not an error', async () => {
  const read = await open(model(field(5, rawTensor('odd', 99, [1], floats(1))), field(5, rawTensor('w', 1, [1], floats(1)))));
  assert.deepEqual(read.graph?.initializers, ['w']);
  assert.deepEqual([read.warnings[0]?.code, read.warnings[0]?.message.args], ['unknown-dtype', { name: 'odd', code: 99 }]);
  assert.equal(
    read.parts.reduce((sum, part) => sum + part.byteLength, 0),
    read.byteLength,
  );
});

test('what is not a model says what it is', async () => {
  await rejectsWith('empty', open(new Uint8Array(0)));
  await rejectsWith('lfs-pointer', open(Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n')));
  await rejectsWith('not-a-model', open(Buffer.from('<!DOCTYPE html><html><body>404</body></html>')));
  const text = await rejectsWith('not-a-model', open(Buffer.from('Hello, this is text')));
  assert.equal(text.sentence.args?.x, 'Hello, this is text');
  const zip = await rejectsWith('not-a-model', open(Uint8Array.of(0x50, 0x4b, 3, 4, 0x14, 0, 0, 0, 8)));
  assert.equal(zip.sentence.args?.x, '50 4b 03 04 14 00 00 00');
  assert.equal((await codeOf(openBytes('notes.txt', Buffer.from('x')))).code, 'not-a-model');
});

test('content decides the format, not the name', async () => {
  assert.equal((await openBytes('m.safetensors', linear())).format, 'onnx');
  assert.equal((await openBytes('m.onnx', safetensorsFile({}))).format, 'safetensors');
  assert.equal((await openBytes('m', linear())).format, 'onnx');
});
