import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { Model } from '../../../src/core/model/model.ts';
import { apply } from '../../../src/core/rewrite/apply.ts';
import {
  generated,
  noGenerated,
  noThirdParty,
  openMemory,
  openSource,
  planOf,
  quantized,
  shared,
  weightEdits,
  writeToMemory,
} from '../passes/fixtures.ts';
import { cosine, numbersOf, run, someIds } from '../passes/run.ts';

/** What quantize_dynamic of onnxruntime 1.30 wrote (weight_type QInt8, one scale a matrix), and from what. */
const reference = [
  [
    'third-party/reference/optimum_distilbert.ort_dyn_qint8.onnx',
    'third-party/models/huggingface-optimum-onnx__assets_onnx_model.onnx',
  ],
  ['third-party/reference/tribuo_tinybert.ort_dyn_qint8.onnx', 'third-party/folders/tribuo-tinybert/model.onnx'],
].map(pair => pair.map(path => join(shared, path)) as [string, string]);

/** What a later version wrote: it calls a turned weight W_Transposed, and subtracts ranges in fp64. */
const later = ['bert-base', 'bert-sequence-classification', 'roberta-sequence-classification'].map(name => [
  join(generated, name, 'model.int8.onnx'),
  join(generated, name, 'model.torchscript.onnx'),
]) as [string, string][];
const named = (text: string) => text.replaceAll('_Transposed', '');

const whole = { scheme: 'int8-dynamic', per_channel: false };

/** Every node as a line: operator, name, inputs, outputs, plain attributes. Sorted, because any topological order is right. */
function nodesOf({ graph }: Model): string[] {
  return graph!.nodes
    .map(({ opType, domain, name, inputs, outputs, attributes }) => {
      const values = [...attributes].map(([key, it]) => [
        key,
        'value' in it && typeof it.value !== 'object' ? it.value : it.type,
      ]);
      return named(JSON.stringify([opType, domain, name, inputs, outputs, values.sort()]));
    })
    .sort();
}

async function initializersOf({ graph, tensors }: Model): Promise<Map<string, { form: string; bytes: Uint8Array }>> {
  const found = new Map<string, { form: string; bytes: Uint8Array }>();
  for (const name of [...graph!.initializers].sort()) {
    const tensor = tensors.get(name)!;
    found.set(named(name), { form: `${tensor.dtype} [${tensor.shape}]`, bytes: (await tensor.bytes()).slice() });
  }
  return found;
}

test('int8-dynamic writes the nodes and the initializers that quantize_dynamic writes, bit for bit', {
  skip: noThirdParty,
}, async () => {
  for (const [path, source] of reference) {
    const theirs = await openSource(path);
    const { files } = await quantized(source, whole);
    const ours = await openMemory(files, 'model.onnx');
    assert.deepEqual(nodesOf(ours), nodesOf(theirs.body.model), path);
    assert.deepEqual(await initializersOf(ours), await initializersOf(theirs.body.model), path);
    assert.match(theirs.body.model.graph!.producer, /^onnx\.quantize/);
    assert.match(ours.graph!.producer, /^onnx\.quantize/);
    assert.equal(ours.metadata['onnx.infer'], theirs.body.model.metadata['onnx.infer']);
    assert.deepEqual(ours.graph!.opsets.get(''), theirs.body.model.graph!.opsets.get(''));
    await theirs.close();
  }
});

test('int8-dynamic gives the outputs that quantize_dynamic’s file gives: bit for bit as written, within 1e-5 fused', {
  skip: noThirdParty,
}, async () => {
  for (const [path, source] of reference) {
    const { bytes } = await quantized(source, whole);
    for (const level of ['disabled', 'all'] as const) {
      const [theirs, ours] = [
        await run(path, someIds(2, 12), undefined, level),
        await run(bytes, someIds(2, 12), undefined, level),
      ];
      for (const [name, tensor] of Object.entries(theirs)) {
        const expected = numbersOf(tensor);
        const largest = numbersOf(ours[name]!).reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
        assert.ok(largest <= (level === 'disabled' ? 0 : 1e-5), `${path} ${name}, ${level}: ${largest}`);
      }
    }
  }
});

test('a later quantize_dynamic writes the same nodes and integers, and scales within one unit in the last place', {
  skip: noGenerated,
}, async () => {
  for (const [path, source] of later) {
    const theirs = await openSource(path);
    const ours = await openMemory((await quantized(source, whole)).files, 'model.onnx');
    assert.deepEqual(nodesOf(ours), nodesOf(theirs.body.model), path);
    const [found, expected] = [await initializersOf(ours), await initializersOf(theirs.body.model)];
    assert.deepEqual([...found.keys()], [...expected.keys()], path);
    for (const [name, { form, bytes }] of expected) {
      assert.equal(found.get(name)!.form, form, `${path} ${name}`);
      if (name.endsWith('_scale')) {
        const [ulps] = new Uint32Array(bytes.buffer).map((bits, i) =>
          Math.abs(bits - new Uint32Array(found.get(name)!.bytes.buffer)[i]!),
        );
        assert.ok(ulps! <= 1, `${path} ${name}`);
      } else assert.deepEqual(found.get(name)!.bytes, bytes, `${path} ${name}`);
    }
    await theirs.close();
  }
});

/** quantize_data(w[:, i], INT8, symmetric=True) of onnxruntime 1.30, for columns with exact halves, zeros, subnormals, an outlier, and none of these. */
const columns = {
  weight: [
    [127, 0, 1e-39, 0.1, -3.25],
    [0.5, 0, -1e-39, -0.30000001, 1.0833334],
    [1.5, 0, 5e-40, 1e4, 2.1666667],
    [-2.5, -0, 0, 7.7, 0.0425],
    [3.5, 0, 0, -39.37008, 3.2499],
  ],
  scaleBits: [1065353216, 1065353216, 1065353216, 1117616886, 1020371783],
  integers: [
    [127, 0, 2, -2, 4],
    [0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0],
    [0, 0, 127, 0, 0],
    [-127, 42, 85, 2, 127],
  ],
};

test('a scale for each output channel is the one that quantize_data of onnxruntime 1.30 computes, bit for bit', async () => {
  const { byColumns, byRows } = await import('../../../src/core/passes/quantize/eight-bits.ts');
  const { held } = await import('../../../src/core/passes/computed.ts');
  const turned = columns.weight[0]!.map((_, c) => columns.weight.map(row => row[c]!));
  for (const [matrix, form] of [
    [columns.weight, byColumns],
    [turned, byRows],
  ] as const) {
    const weight = held('w', 'fp32', [5, 5], new Float32Array(matrix.flat()));
    const { values, scale } = form(weight, { id: 'w', signed: true });
    const bytes = new Int8Array((await values.bytes()).slice().buffer);
    const integers =
      form === byRows ? columns.integers : columns.integers[0]!.map((_, r) => columns.integers.map(column => column[r]!));
    assert.deepEqual([...bytes], integers.flat());
    assert.deepEqual([...new Uint32Array((await scale.bytes()).slice().buffer)], columns.scaleBits);
  }
});

test('a table’s scale and zero point are those of quantize_data of onnxruntime 1.30, bit for bit', async () => {
  const { byTensor } = await import('../../../src/core/passes/quantize/eight-bits.ts');
  const { held } = await import('../../../src/core/passes/computed.ts');
  const cases = [
    { table: [-1.3, 2.7, 0.0105882], scaleBits: 1015054465, zeroPoint: 83, integers: [0, 255, 84] },
    { table: [0, 0], scaleBits: 1065353216, zeroPoint: 0, integers: [0, 0] },
    { table: [-0.7, 0.3], scaleBits: 998277249, zeroPoint: 178, integers: [0, 254] },
  ];
  for (const { table, scaleBits, zeroPoint, integers } of cases) {
    const found = byTensor(held('t', 'fp32', [1, table.length], new Float32Array(table)), { id: 't', signed: false });
    assert.deepEqual([...(await found.values.bytes())], integers);
    assert.deepEqual([...new Uint32Array((await found.scale.bytes()).slice().buffer)], [scaleBits]);
    assert.deepEqual([...(await found.zeroPoint.bytes())], [zeroPoint]);
  }
});

test('int8-dynamic of a file whose Gemms quantize_dynamic cannot turn (its shapes contradict themselves) runs', {
  skip: noGenerated,
}, async () => {
  const path = join(generated, 'bert-sequence-classification/model.dynamo.onnx');
  const { bytes, plan } = await quantized(path, { scheme: 'int8-dynamic' });
  assert.ok(weightEdits(plan).some(edit => edit.target.id === 'classifier'));
  const [logits] = Object.values(await run(bytes, someIds(2, 9)));
  assert.deepEqual(logits!.dims, [2, 3], dirname(path));
});

test('a weight that something else needs in floating point is multiplied out in the graph, and defined once', {
  skip: noGenerated,
}, async () => {
  const path = join(generated, 'distilbert-base/model.ort-fused.onnx');
  const { body, bytes } = await quantized(path, { scheme: 'int8-dynamic' });
  const made = new Set(body.model.graph!.nodes.flatMap(node => node.outputs));
  assert.deepEqual(
    body.model.graph!.initializers.filter(name => made.has(name)),
    [],
  );
  const [before, after] = [await run(path, someIds(2, 9)), await run(bytes, someIds(2, 9))];
  const [name] = Object.keys(before);
  assert.ok(cosine(numbersOf(before[name!]!), numbersOf(after[name!]!)) > 0.999);
});

for (const scheme of ['int8', 'int8-dynamic'])
  test(`${scheme} in two steps, one for the queries and one for the rest, runs, and equals one step bit for bit`, {
    skip: noGenerated,
  }, async () => {
    const path = join(generated, 'bert-base/model.torchscript.onnx');
    const source = await openSource(path);
    // Smoothed, query, key and value would have factors in common, which those left out have no part in.
    const options = { scheme, ...(scheme === 'int8' && { smooth: 0 }) };
    const first = await apply(source.body, await planOf(source.body, { ...options, exclude: ['*.query'] }));
    const second = await apply(first, await planOf(first, options));
    const bytes = (await writeToMemory(second.model)).get('model.onnx')!;
    const outputs = second.model.graph!.nodes.flatMap(node => node.outputs);
    assert.equal(new Set(outputs).size, outputs.length);
    const whole = await run((await quantized(path, options)).bytes, someIds(2, 9), undefined, 'disabled');
    const steps = await run(bytes, someIds(2, 9), undefined, 'disabled');
    for (const [name, tensor] of Object.entries(whole)) assert.deepEqual(numbersOf(steps[name]!), numbersOf(tensor), name);
    await source.close();
  });
