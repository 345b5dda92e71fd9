import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { held } from '../../../src/core/passes/computed.ts';
import { apply, type Body } from '../../../src/core/rewrite/apply.ts';
import { readFloats } from '../../../src/core/tensor/floats.ts';
import type { Tensor } from '../../../src/core/tensor/tensor.ts';
import {
  generated,
  nameOf,
  noGenerated,
  openMemory,
  openSource,
  plainModels,
  planOf,
  quantized,
  writeToMemory,
} from '../passes/fixtures.ts';
import { cosine, numbersOf, run, someIds } from '../passes/run.ts';

const skip = noGenerated;
const half = { scheme: 'fp16' };
const ids = someIds(2, 12);
/** The second text is shorter. */
const mask = ids.map((row, text) => row.map((_, at) => (text === 1 && at > 6 ? 0 : 1)));
const isFloat = ({ dtype }: Tensor) => dtype === 'fp32';

for (const path of plainModels.filter(it => it.endsWith('.onnx')))
  test(`${path} in fp16 runs, padded texts too: every output within 1e-5 of the cosine, inputs and outputs as they were`, {
    skip,
  }, async () => {
    const file = join(generated, path);
    const { body, bytes, plan } = await quantized(file, half);
    if (plan.edits.length === 0) return assert.equal(plan.skipped[0]!.reason.text, 'It has 16 bits already.');
    const source = await openSource(file);
    const { inputs, outputs } = source.body.model.graph!;
    assert.deepEqual(
      body.model.graph!.inputs.map(nameAndType),
      inputs.filter(it => !source.body.model.tensors.has(it.name)).map(nameAndType),
    );
    assert.deepEqual(body.model.graph!.outputs.map(nameAndType), outputs.map(nameAndType));
    await source.close();
    assert.ok(![...body.model.tensors.values()].some(isFloat), 'a tensor of 32 bits is left');
    const [before, after] = [await run(file, ids, mask), await run(bytes, ids, mask)];
    for (const name in before) {
      const [a, b] = [numbersOf(before[name]!), numbersOf(after[name]!)];
      assert.ok(cosine(a, b) > 0.99999, `${name}: ${cosine(a, b)}`);
    }
  });

const nameAndType = ({ name, dtype }: { name: string; dtype?: string | undefined }) => [name, dtype];

/** A body whose tensor of this name holds other numbers. */
async function withNumbers(body: Body, name: string, change: (values: Float32Array) => void): Promise<Body> {
  const old = body.model.tensors.get(name)!;
  const values = Float32Array.from(await readFloats(old));
  change(values);
  const { anatomy } = body;
  const linear = anatomy.linears.find(({ weight }) => weight.name === name)!;
  const edit = { kind: 'replace', target: linear, weight: held(name, 'fp32', old.shape, values) } as const;
  return apply(body, { edits: [edit], skipped: [] });
}

test('a matrix beyond 65504 stays in 32 bits with its bias and is named, and the graph runs as before within 1e-5', {
  skip,
}, async () => {
  const source = await openSource(join(generated, 'bert-base/model.torchscript.onnx'));
  const { weight, id } = source.body.anatomy.layers[1]!.down;
  const large = await withNumbers(source.body, weight.name, values => {
    values[0] = 1e5;
  });
  const plan = await planOf(large, half);
  assert.deepEqual(
    plan.skipped.filter(({ reason }) => reason.text.includes('65504')).map(({ target }) => target),
    [id],
  );
  const made = await apply(large, plan);
  assert.equal(made.model.tensors.get(weight.name)!.dtype, 'fp32');
  const [before, after] = [await writeToMemory(large.model), await writeToMemory(made.model)];
  const name = nameOf(large.model);
  const [a, b] = [await run(before.get(name)!, ids, mask), await run(after.get(name)!, ids, mask)];
  for (const output in a) assert.ok(cosine(numbersOf(a[output]!), numbersOf(b[output]!)) > 0.99999, output);
  await source.close();
});

test('what “exclude” names stays in 32 bits; everything else does not', { skip }, async () => {
  const { body, plan } = await quantized(join(generated, 'bert-base/model.torchscript.onnx'), {
    ...half,
    exclude: ['encoder.layer.0'],
  });
  const left = plan.skipped.filter(({ reason }) => reason.text.startsWith('Left out')).map(({ target }) => target);
  assert.equal(left.length, 6);
  assert.ok(left.every(target => target.startsWith('encoder.layer.0.')));
  const dtypes = body.anatomy.linears.map(({ id, weight }) => [id.startsWith('encoder.layer.0.'), weight.dtype]);
  for (const [isLeft, dtype] of dtypes) assert.equal(dtype, isLeft ? 'fp32' : 'fp16');
});

test('norms that are written out stay in 32 bits as a whole: no Pow, no ReduceMean and no Sqrt computes in fp16', {
  skip,
}, async () => {
  const { body } = await quantized(join(generated, 'distilbert-base/model.torchscript.onnx'), half);
  const { graph, tensors } = body.model;
  const halves = new Set([...tensors.values()].filter(({ dtype }) => dtype === 'fp16').map(({ name }) => name));
  for (const node of graph!.nodes) {
    const to = node.attributes.get('to');
    if (node.opType === 'Cast' && to?.type === 'int' && to.value === 10) halves.add(node.outputs[0]!);
    if (['Pow', 'ReduceMean', 'Sqrt'].includes(node.opType))
      assert.ok(!node.inputs.some(name => halves.has(name)), `${node.opType} ${node.name}`);
  }
});

test('a graph that is quantized already keeps its operators: what is left is stored in 16 bits only', { skip }, async () => {
  const { body, plan } = await quantized(join(generated, 'bert-base/model.qdq.onnx'), half);
  const [edit] = plan.edits;
  assert.ok(edit?.kind === 'convert' && edit.depth === 'storage');
  assert.ok(plan.skipped.some(({ reason }) => reason.text.includes('integers already')));
  assert.ok(body.anatomy.linears.some(({ form }) => form === 'quantized'));
});

test('bf16 of a graph is stored and widened: cosine above 0.9999, and the reason says so', { skip }, async () => {
  const path = join(generated, 'bert-base/model.torchscript.onnx');
  const { bytes, plan } = await quantized(path, { scheme: 'bf16' });
  assert.match(plan.skipped.at(-1)!.reason.text, /no bf16 operators/);
  const [a, b] = [await run(path, ids), await run(bytes, ids)];
  for (const name in a) assert.ok(cosine(numbersOf(a[name]!), numbersOf(b[name]!)) > 0.9999, name);
});

for (const [scheme, dtype, word] of [
  ['fp16', 'fp16', 'float16'],
  ['bf16', 'bf16', 'bfloat16'],
] as const)
  test(`a checkpoint in ${scheme}: every tensor, and what transformers loads it as; layers are found as before`, {
    skip,
  }, async () => {
    const { body, files } = await quantized(join(generated, 'bert-base/model.safetensors'), { scheme });
    const written = await openMemory(files, 'model.safetensors');
    for (const { name, dtype: found } of written.tensors.values())
      assert.ok(found === dtype || found === 'int64', `${name}: ${found}`);
    assert.equal(body.model.config.dtype ?? body.model.config.torch_dtype, word);
    assert.equal(body.anatomy.layers.length, 3);
  });

test('a checkpoint with a number beyond 65504 keeps that tensor, and the type it is loaded as', { skip }, async () => {
  const source = await openSource(join(generated, 'bert-base/model.safetensors'));
  const name = source.body.anatomy.layers[0]!.up.weight.name;
  const large = await withNumbers(source.body, name, values => {
    values[3] = -7e4;
  });
  const made = await apply(large, await planOf(large, half));
  assert.equal(made.model.tensors.get(name)!.dtype, 'fp32');
  assert.deepEqual(made.model.config, source.body.model.config);
  await source.close();
});
