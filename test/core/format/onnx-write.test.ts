import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { test } from 'node:test';
import onnxProto from 'onnx-proto';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { memoryOutput } from '../../../src/core/bytes/memory.ts';
import { layoutOnnx } from '../../../src/core/format/onnx/write.ts';
import type { FileLayout } from '../../../src/core/format/pieces.ts';
import { writeLayout } from '../../../src/core/format/write.ts';
import type { Node } from '../../../src/core/model/graph.ts';
import { newNode, withAttributes, withInputs } from '../../../src/core/model/graph-edit.ts';
import type { Model } from '../../../src/core/model/model.ts';
import type { Tensor } from '../../../src/core/tensor/tensor.ts';
import { openBytes, rejectsWith } from './open-bytes.ts';
import { externalTensor, field, floats, group, integer, join, linear, model, node, rawTensor } from './protobuf.ts';

const { onnx } = onnxProto;

async function written(read: Model, limit?: number): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const layout: FileLayout[] = await layoutOnnx(read, 'out.onnx', limit);
  const output = memoryOutput(files);
  await writeLayout(read, layout, output);
  await output.commit();
  assert.deepEqual(
    [...files].map(([name, bytes]) => [name, bytes.length]),
    layout.map(({ name, byteLength }) => [name, byteLength]),
  );
  return files;
}
const single = async (read: Model) => (await written(read)).get('out.onnx')!;

const madeTensor = (name: string, values: readonly number[]): Tensor => {
  const all = floats(...values);
  return {
    name,
    dtype: 'fp32',
    shape: [values.length],
    byteLength: all.length,
    bytes: async (start, end) => all.slice(start, end),
  };
};
const withNodes = (read: Model, nodes: readonly Node[]): Model => ({ ...read, graph: { ...read.graph!, nodes } });
const withTensor = (read: Model, tensor: Tensor): Model => ({
  ...read,
  tensors: new Map([...read.tensors, [tensor.name, tensor]]),
  graph: {
    ...read.graph!,
    initializers: read.graph!.initializers.includes(tensor.name)
      ? read.graph!.initializers
      : [...read.graph!.initializers, tensor.name],
  },
});

const unknown = join(field(100, 'zz'), integer(101, -1), group(102, integer(1, 5)));

/** linear() with unknown fields at every level, and a doc string. */
const strange = () =>
  join(
    linear(
      field(1, node('Relu', ['y'], ['z'], unknown, field(5, field(1, 'alpha'), integer(3, 2), integer(20, 2), unknown))),
      field(5, rawTensor('u', 1, [1], floats(1), unknown, field(12, 'doc'))),
      field(13, field(1, 'm')),
      unknown,
    ),
    unknown,
    field(6, 'a doc string'),
    field(14, field(1, 'key'), field(2, 'value'), unknown),
  );

test('an untouched model is copied byte for byte, and so is one whose parts are only put into new lists', async () => {
  const bytes = strange();
  const read = await openBytes('m.onnx', bytes);
  assert.deepEqual(await single(read), bytes);
  const { graph } = read;
  const relisted = {
    ...read,
    tensors: new Map(read.tensors),
    metadata: { ...read.metadata },
    graph: { ...graph!, nodes: [...graph!.nodes], initializers: [...graph!.initializers], inputs: [...graph!.inputs] },
  };
  const again = await openBytes('out.onnx', await single(relisted));
  // The nodes and initializers of `linear` come before those of `strange`: runs of one field are written where the first one was.
  assert.equal((await single(relisted)).length, bytes.length);
  assert.deepEqual(
    again.graph?.nodes.map(({ opType }) => opType),
    ['MatMul', 'Add', 'Relu'],
  );
});

test('removing a node leaves every other byte as it was', async () => {
  const bytes = linear();
  const read = await openBytes('m.onnx', bytes);
  const [first] = read.graph!.nodes;
  const result = onnx.ModelProto.decode(await single(withNodes(read, [first!])));
  assert.equal(result.graph?.node?.length, 1);
  assert.deepEqual(result.graph?.initializer, onnx.ModelProto.decode(bytes).graph?.initializer);
});

test('a node with other inputs keeps its unknown fields, and attributes that were not named', async () => {
  const read = await openBytes('m.onnx', strange());
  const [a, b, relu] = read.graph!.nodes;
  const edited = withAttributes(withInputs(relu!, ['m']), { beta: { type: 'ints', value: [1, -2] } });
  const out = Buffer.from(await single(withNodes(read, [a!, b!, edited])));
  const relu2 = onnx.ModelProto.decode(out).graph!.node![2]!;
  assert.deepEqual(relu2.input, ['m']);
  assert.deepEqual(
    relu2.attribute?.map(({ name }) => name),
    ['alpha', 'beta'],
  );
  assert.deepEqual(relu2.attribute?.[1]?.ints?.map(Number), [1, -2]);
  assert.equal(out.toString('latin1').split(Buffer.from(unknown).toString('latin1')).length, 7, 'unknown fields at six places');
});

test('a copy of an attribute with another value is not taken for the one in the file', async () => {
  const read = await openBytes('m.onnx', strange());
  const relu = read.graph!.nodes[2]!;
  const alpha = relu.attributes.get('alpha')!;
  const edited = withAttributes(relu, { alpha: { ...alpha, value: 5 } as typeof alpha });
  const out = onnx.ModelProto.decode(await single(withNodes(read, [edited])));
  assert.equal(Number(out.graph!.node![0]!.attribute![0]!.i), 5);
});

test('new nodes are encoded with every kind of attribute', async () => {
  const read = await openBytes('m.onnx', linear());
  const added = newNode('Odd', ['y', '', 'x'], ['z'], {
    name: 'n',
    domain: 'com.microsoft',
    attributes: {
      a: { type: 'int', value: -3 },
      b: { type: 'float', value: 0.5 },
      c: { type: 'string', value: 'é' },
      d: { type: 'ints', value: [1, 2 ** 63] },
      e: { type: 'floats', value: [1.5] },
      f: { type: 'strings', value: ['x', 'y'] },
      g: { type: 'tensor', value: madeTensor('t', [1, 2]) },
      h: { type: 'graph', value: { ...read.graph!, initializers: [], name: 'inner' } },
    },
  });
  const out = onnx.ModelProto.decode(await single(withNodes(read, [...read.graph!.nodes, added])));
  const [, , result] = out.graph!.node!;
  assert.deepEqual([result!.input, result!.output, result!.domain, result!.name], [['y', '', 'x'], ['z'], 'com.microsoft', 'n']);
  const [a, b, c, d, e, f, g, h] = result!.attribute!;
  assert.deepEqual(
    [Number(a!.i), b!.f, Buffer.from(c!.s!).toString(), d!.ints!.map(String), e!.floats],
    [-3, 0.5, 'é', ['1', '9223372036854775807'], [1.5]],
  );
  assert.deepEqual(
    f!.strings?.map(text => Buffer.from(text).toString()),
    ['x', 'y'],
  );
  assert.deepEqual([Buffer.from(g!.t!.rawData!), g!.t!.dims?.map(Number), g!.type], [Buffer.from(floats(1, 2)), [2], 4]);
  assert.deepEqual([h!.g!.name, h!.g!.node?.length, h!.type], ['inner', 2, 5]);
  const again = await openBytes('out.onnx', await single(withNodes(read, [...read.graph!.nodes, added])));
  assert.equal(again.graph?.nodes[2]?.attributes.size, 8);
});

test('a replaced tensor has new data, the others are spliced with what is not understood', async () => {
  const read = await openBytes('m.onnx', strange());
  const out = await single(withTensor(read, madeTensor('b', [7, 8, 9])));
  const { initializer } = onnx.ModelProto.decode(out).graph!;
  assert.deepEqual(
    initializer!.map(({ name }) => name),
    ['w', 'b', 'u'],
  );
  assert.deepEqual(Buffer.from(initializer![1]!.rawData!), Buffer.from(floats(7, 8, 9)));
  assert.equal(initializer![2]!.docString, 'doc');
});

test('opsets, IR version, producer, metadata, inputs and outputs are replaced; the rest of the model stays', async () => {
  const read = await openBytes('m.onnx', strange());
  const graph = {
    ...read.graph!,
    irVersion: 10,
    producer: 'headroom',
    opsets: new Map([
      ['', 21],
      ['com.microsoft', 1],
    ]),
    outputs: [{ name: 'm', dtype: 'fp16' as const, shape: ['n', undefined, 4] }],
  };
  const out = onnx.ModelProto.decode(await single({ ...read, graph, metadata: { ...read.metadata, added: 'x' } }));
  assert.deepEqual([Number(out.irVersion), out.producerName, out.docString], [10, 'headroom', 'a doc string']);
  assert.deepEqual(
    out.opsetImport?.map(({ domain, version }) => [domain, Number(version)]),
    [
      ['', 21],
      ['com.microsoft', 1],
    ],
  );
  assert.deepEqual(
    out.metadataProps?.map(({ key, value }) => [key, value]),
    [
      ['key', 'value'],
      ['added', 'x'],
    ],
  );
  const [output] = out.graph!.output!;
  assert.deepEqual(
    [output!.name, output!.type?.tensorType?.elemType, output!.type?.tensorType?.shape?.dim?.length],
    ['m', 10, 3],
  );
  assert.equal(out.graph?.input?.[0]?.name, 'x');
});

test('an initializer of an unknown type is not lost when the graph changes', async () => {
  const read = await openBytes('m.onnx', linear(field(5, rawTensor('odd', 99, [1], floats(1)))));
  const out = onnx.ModelProto.decode(await single(withTensor(read, madeTensor('b', [1, 2, 3]))));
  assert.deepEqual(
    out.graph?.initializer?.map(({ name }) => name),
    ['w', 'b', 'odd'],
  );
});

const weights = new Float32Array(512).map((_, i) => i / 512);
const big = () =>
  join(
    model(
      field(1, node('MatMul', ['x', 'w'], ['m'])),
      field(1, node('Add', ['m', 'b'], ['y'])),
      field(2, 'g'),
      field(5, rawTensor('w', 1, [2, 256], new Uint8Array(weights.buffer), unknown)),
      field(5, rawTensor('b', 1, [1], floats(0.5))),
      field(11, field(1, 'x'), field(2, field(1, integer(1, 1), field(2, field(1, integer(1, 1)), field(1, integer(1, 2)))))),
      field(12, field(1, 'y'), field(2, field(1, integer(1, 1), field(2, field(1, integer(1, 1)), field(1, integer(1, 256)))))),
    ),
  );

test('a model over the limit keeps its large tensors in a file beside it, and onnxruntime gives the same outputs', async () => {
  const bytes = big();
  const read = await openBytes('m.onnx', bytes);
  const changed = withTensor(read, madeTensor('b', [0.25]));
  const files = await written(changed, 1000);
  assert.deepEqual([...files.keys()], ['out.onnx', 'out.onnx.data']);
  assert.equal(files.get('out.onnx.data')!.length, 2048);
  const again = await openBytes('out.onnx', files.get('out.onnx')!, Object.fromEntries(files));
  assert.deepEqual(await again.tensors.get('w')!.bytes(), new Uint8Array(weights.buffer));
  assert.equal(Buffer.from(files.get('out.onnx')!).includes(Buffer.from(unknown)), true);
  const whole = await single(changed);
  const folder = mkdtempSync(joinPath(tmpdir(), 'headroom-onnx-'));
  try {
    for (const [name, content] of files) writeFileSync(joinPath(folder, name), content);
    const x = { x: new OrtTensor('float32', [1, 2], [1, 2]) };
    const split = await InferenceSession.create(joinPath(folder, 'out.onnx'));
    const one = await InferenceSession.create(whole);
    assert.deepEqual((await split.run(x)).y!.data, (await one.run(x)).y!.data);
    assert.equal(((await split.run(x)).y!.data as Float32Array)[0], 0.25 + 1 * weights[0]! + 2 * weights[256]!);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a graph that alone is over the limit is refused', async () => {
  const read = await openBytes('m.onnx', big());
  await rejectsWith('limit', layoutOnnx(withNodes(read, [...read.graph!.nodes]), 'out.onnx', 100));
});

test('external data goes into the file when it fits, and nodes that point to it keep it beside them', async () => {
  const data = floats(1, 2, 3, 4);
  const bytes = linear(field(5, externalTensor('e', [2], { location: 'd.bin', offset: '8' }), unknown));
  const read = await openBytes('m.onnx', bytes, { 'd.bin': data });
  assert.deepEqual([...(await written(read)).keys()], ['out.onnx', 'd.bin']);
  const changed = withTensor(read, madeTensor('b', [1, 2, 3]));
  const files = await written(changed);
  assert.deepEqual([...files.keys()], ['out.onnx']);
  const again = await openBytes('out.onnx', files.get('out.onnx')!);
  assert.deepEqual(await again.tensors.get('e')!.bytes(), data.slice(8));
  const constant = node(
    'Constant',
    [],
    ['k'],
    field(5, field(1, 'value'), field(5, externalTensor('', [2], { location: 'd.bin' })), integer(20, 4)),
  );
  const kept = await openBytes('m.onnx', linear(field(1, constant)), { 'd.bin': data });
  assert.deepEqual([...(await written(withTensor(kept, madeTensor('b', [1, 2, 3])))).keys()], ['out.onnx', 'd.bin']);
});

test('a graph within a node can be changed: its tensors and unknown fields stay', async () => {
  const inner = join(
    field(1, node('Identity', ['w'], ['o'])),
    field(1, node('Relu', ['o'], ['p'])),
    field(5, rawTensor('w', 1, [1], floats(4))),
    field(2, 'b'),
    unknown,
  );
  const bytes = linear(field(1, node('If', ['c'], ['p'], field(5, field(1, 'then_branch'), field(6, inner), integer(20, 5)))));
  const read = await openBytes('m.onnx', bytes);
  const [a, b, branch] = read.graph!.nodes;
  const attribute = branch!.attributes.get('then_branch');
  assert.ok(attribute?.type === 'graph');
  const smaller = { ...attribute.value, nodes: attribute.value.nodes.slice(0, 1) };
  const edited = withAttributes(branch!, { then_branch: { type: 'graph', value: smaller } });
  const out = await single(withNodes(read, [a!, b!, edited]));
  const graph = onnx.ModelProto.decode(out).graph!.node![2]!.attribute![0]!.g!;
  assert.deepEqual([graph.name, graph.node?.length, graph.initializer?.map(({ name }) => name)], ['b', 1, ['w']]);
  assert.equal(Buffer.from(out).includes(Buffer.from(unknown)), true);
  const again = await openBytes('out.onnx', out);
  assert.deepEqual(await again.tensors.get('then_branch/w')!.bytes(), floats(4));
});
