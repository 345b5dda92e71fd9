import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { detect } from '../../../src/core/anatomy/detect.ts';
import type { HeadroomError } from '../../../src/core/errors.ts';
import { formatOf } from '../../../src/core/format/registry.ts';
import { HALF, Histogram } from '../../../src/core/passes/quantize/histogram.ts';
import { rangeOf } from '../../../src/core/passes/quantize/ranges.ts';
import { quantize } from '../../../src/core/passes/quantize.ts';
import { parseRecipe } from '../../../src/core/passes/recipe.ts';
import { weightError } from '../../../src/core/report/weight-error.ts';
import { apply } from '../../../src/core/rewrite/apply.ts';
import { openCalibration } from '../../../src/core/session/calibrate.ts';
import { openPath } from '../../../src/core/session/open.ts';
import { generated, nameOf, noGenerated, openMemory, openSource, planOf, quantized, writeToMemory } from './fixtures.ts';
import { cosine, numbersOf, run, someIds } from './run.ts';

const bert = join(generated, 'bert-base/model.torchscript.onnx');
const texts = ['a b c', 'd', 'the cat sat on the mat', 'x y z w', 'one two three', 'to be or not to be'];

/** A model quantized with text. */
async function withText(path: string, given: Readonly<Record<string, unknown>>) {
  const opened = await openPath(path);
  const calibration = await openCalibration(opened, opened, texts);
  try {
    const { model, anatomy } = opened;
    const [step] = parseRecipe({ version: 1, steps: [{ pass: 'quantize', options: given }] }).steps;
    const plan = (dryRun: boolean) =>
      quantize.plan(anatomy, step!.options as never, { model, format: 'onnx', dryRun, calibration: async () => calibration });
    const [dry, edits] = [await plan(true), await plan(false)];
    const body = await apply(opened, edits);
    const lengths = await formatOf('onnx').plan((await apply(opened, dry)).model, 'model.onnx');
    const files = await writeToMemory(body.model);
    return { body, files, bytes: files.get('model.onnx')!, dryBytes: lengths[0]!.byteLength };
  } finally {
    await calibration.close();
    await opened.close();
  }
}

for (const options of [{}, { operators: 'standard' }, { scheme: 'int8-dynamic', smooth: 0.6 }, { scheme: 'int8-weights' }])
  test(`${JSON.stringify(options)}: every written matrix, multiplied out and with its smoothing undone, is the original’s within 1 %`, {
    skip: noGenerated,
  }, async () => {
    for (const path of [
      bert,
      join(generated, 'distilbert-base/model.dynamo.onnx'),
      join(generated, 'albert-base/model.torchscript.onnx'),
    ]) {
      const source = await openSource(path);
      const { files, body } = await quantized(path, options);
      const written = await detect({ ...(await openMemory(files, nameOf(body.model))), config: body.model.config });
      const before = new Map(source.body.anatomy.linears.map(linear => [linear.id, linear]));
      const changed = written.linears.filter(linear => linear.form === 'quantized');
      assert.ok(changed.length >= 2, path);
      if (!('scheme' in options && options.scheme === 'int8-weights'))
        assert.ok(
          changed.some(({ smoothing }) => smoothing),
          path,
        );
      for (const linear of changed) {
        const error = await weightError(before.get(linear.id)!, linear);
        assert.ok(error && error.relative < 0.01, `${path} ${linear.id}: ${error?.relative}`);
      }
      await source.close();
    }
  });

test('smoothing leaves what a residual sum reads as it is: only products of integers read what is scaled', {
  skip: noGenerated,
}, async () => {
  const { nodes } = (await quantized(bert)).body.model.graph!;
  const scaled = nodes.filter(({ outputs }) => outputs[0]!.endsWith('_smoothed')).map(({ outputs }) => outputs[0]!);
  // Per layer the input, the output projection's, and the first feed-forward matrix's.
  assert.equal(scaled.length, 9);
  for (const name of scaled) {
    const readers = nodes.filter(({ inputs }) => inputs.includes(name)).map(({ opType }) => opType);
    assert.deepEqual(readers.sort(), ['ReduceMax', 'ReduceMin', 'Sub']);
  }
});

test('int8 and int8-dynamic smoothed from text differ from those smoothed by the norms, and are as close to the original as 0.998', {
  skip: noGenerated,
}, async () => {
  const ids = someIds(2, 9);
  const before = numbersOf(Object.values(await run(bert, ids))[0]!);
  for (const options of [{ activation_bits: 8 }, { scheme: 'int8-dynamic', smooth: 0.5 }]) {
    const { bytes, dryBytes } = await withText(bert, options);
    assert.equal(bytes.length, dryBytes);
    assert.notDeepEqual(bytes, (await quantized(bert, options)).bytes);
    assert.ok(cosine(numbersOf(Object.values(await run(bytes, ids))[0]!), before) > 0.998, JSON.stringify(options));
  }
});

test('int8-dynamic with smooth 0 writes the bytes that it writes without', { skip: noGenerated }, async () => {
  const [without, none] = await Promise.all([
    quantized(bert, { scheme: 'int8-dynamic' }),
    quantized(bert, { scheme: 'int8-dynamic', smooth: 0 }),
  ]);
  assert.deepEqual(without.bytes, none.bytes);
});

for (const ranges of ['min-max', 'percentile', 'entropy', 'mse'])
  test(`int8-static, ${ranges}: each product of a layer reads its input through QuantizeLinear and DequantizeLinear, and runs within cosine 0.9`, {
    skip: noGenerated,
  }, async () => {
    const { body, bytes, dryBytes } = await withText(bert, { scheme: 'int8-static', ranges });
    assert.equal(bytes.length, dryBytes);
    const { nodes } = body.model.graph!;
    const makers = new Map(nodes.flatMap(node => node.outputs.map(output => [output, node])));
    const products = nodes.filter(node => node.opType === 'MatMul' && makers.get(node.inputs[1]!)?.opType === 'DequantizeLinear');
    assert.equal(products.length, 3 * 6);
    for (const { inputs } of products) {
      const back = makers.get(inputs[0]!)!;
      assert.equal(back.opType, 'DequantizeLinear');
      assert.equal(makers.get(back.inputs[0]!)!.opType, 'QuantizeLinear');
      assert.deepEqual(body.model.tensors.get(back.inputs[2]!)?.dtype, 'int8');
      assert.deepEqual(body.model.tensors.get(back.inputs[1]!)?.shape, []);
      const weight = makers.get(inputs[1]!)!;
      const [integers, scale] = weight.inputs.map(name => body.model.tensors.get(name)!);
      assert.deepEqual([integers!.dtype, scale!.shape], ['int8', [integers!.shape[1]]]);
    }
    const ids = someIds(2, 9);
    const [before, after] = await Promise.all([run(bert, ids), run(bytes, ids)]);
    const similar = cosine(numbersOf(Object.values(before)[0]!), numbersOf(Object.values(after)[0]!));
    assert.ok(similar > 0.9, String(similar));
  });

test('int8-static without text says that it needs one', { skip: noGenerated }, async () => {
  const source = await openSource(bert);
  await assert.rejects(planOf(source.body, { scheme: 'int8-static' }), (error: HeadroomError) => error.code === 'usage');
  await source.close();
});

test('int8-weights uses standard operators only, and every generated graph runs with it within cosine 0.999', {
  skip: noGenerated,
}, async () => {
  for (const path of ['bert-base/model.dynamo.onnx', 'tied-mlm/model.once.onnx', 'roberta-base/model.torchscript.onnx']) {
    const { bytes, body } = await quantized(join(generated, path), { scheme: 'int8-weights' });
    assert.ok(body.model.graph!.nodes.every(({ domain }) => domain === ''));
    const ids = someIds(2, 9);
    const [before, after] = await Promise.all([run(join(generated, path), ids), run(bytes, ids)]);
    assert.ok(cosine(numbersOf(Object.values(before)[0]!), numbersOf(Object.values(after)[0]!)) > 0.999, path);
  }
});

/** 100,000 numbers between -1 and 1, the same each time, and one far out. */
function outlying(): Histogram {
  const values = new Float32Array(100_001);
  for (let i = 0; i < 100_000; i++) values[i] = ((i * 7919) % 100_000) / 50_000 - 1;
  values[100_000] = 64;
  const histogram = new Histogram();
  for (const part of [values.subarray(0, 500), values.subarray(500, 70_000), values.subarray(70_000)]) histogram.add(part);
  return histogram;
}

test('a histogram counts every value once, whatever the order in which its limit grows', () => {
  const histogram = outlying();
  assert.equal(
    histogram.counts.reduce((a, b) => a + b, 0),
    100_001,
  );
  assert.ok(histogram.limit >= 64 && histogram.limit < 128);
  assert.ok(Math.abs(histogram.middle(HALF) - histogram.limit / HALF / 2) < 1e-9);
});

test('ranges: min-max holds the outlier, the others lie within it; each holds 0', () => {
  const histogram = outlying();
  const [low, high] = rangeOf(histogram, 'min-max');
  assert.deepEqual([low, high], [-1, 64]);
  assert.deepEqual(rangeOf(new Histogram(), 'mse'), [0, 0]);
  for (const kind of ['percentile', 'entropy', 'mse']) {
    const [least, most] = rangeOf(histogram, kind);
    assert.ok(least <= 0 && most >= 0 && least >= -1 && most <= 64, kind);
  }
  // Half of a hundred-thousandth is less than one value: the outlier stays.
  assert.ok(rangeOf(histogram, 'percentile')[1] > 63);
});

test('the ranges of least squared error and of least divergence are narrower than min-max for a long tail, and as wide for even values', () => {
  const even = new Histogram();
  even.add(Float32Array.from({ length: 10_000 }, (_, i) => i / 5000 - 1));
  assert.deepEqual(
    rangeOf(even, 'mse').map(it => Math.round(it * 100)),
    [-100, 100],
  );
  const tail = new Histogram();
  tail.add(Float32Array.from({ length: 200_000 }, (_, i) => (i % 2 ? 1 : -1) * Math.log(1 - i / 200_000)));
  for (const kind of ['mse', 'entropy']) assert.ok(rangeOf(tail, kind)[1] < 0.95 * tail.high, kind);
});
