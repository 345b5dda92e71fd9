import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Linear, matricesIn } from '../../../src/core/anatomy/anatomy.ts';
import { detect } from '../../../src/core/anatomy/detect.ts';
import { HeadroomError } from '../../../src/core/errors.ts';
import { held } from '../../../src/core/passes/computed.ts';
import { plainFactors } from '../../../src/core/passes/factorize/plain.ts';
import { growing, mostRank, rankOf, rankOfEnergy } from '../../../src/core/passes/factorize/ranks.ts';
import { spend } from '../../../src/core/passes/factorize/spend.ts';
import type { Plan } from '../../../src/core/passes/pass.ts';
import { compareModels } from '../../../src/core/report/compare.ts';
import { summarize } from '../../../src/core/report/summary.ts';
import { apply, type Body } from '../../../src/core/rewrite/apply.ts';
import { asGraph } from '../../../src/core/session/as-graph.ts';
import { openProducts } from '../../../src/core/session/products.ts';
import { readFloats } from '../../../src/core/tensor/floats.ts';
import {
  expectedOf,
  generated,
  nameOf,
  noGenerated,
  openMemory,
  openSource,
  plainModels,
  planOf,
  writeToMemory,
} from './fixtures.ts';
import { cosine, numbersOf, type Rows, run } from './run.ts';

const graphs = plainModels.filter(path => path.endsWith('.onnx'));
const bert = join(generated, 'bert-base');

const wholesOf = ({ anatomy }: Body) =>
  anatomy.layers
    .filter(({ stored, index }) => stored === index)
    .flatMap(matricesIn)
    .filter(({ form }) => form === 'dense');

/** The plan that factors every matrix at its full rank. */
const fullRank = (body: Body, keep: (out: number, width: number) => boolean = () => true): Plan => ({
  edits: wholesOf(body)
    .filter(linear => keep(linear.out, linear.in))
    .map(linear => plainFactors(linear, Math.min(linear.out, linear.in))),
  skipped: [],
});

const bytesOf = async ({ model }: Body): Promise<Uint8Array> => (await writeToMemory(model)).get(nameOf(model))!;

const farthest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);

test('full rank reproduces the outputs of every generated graph within 1e-5 of their largest (fp16 within 5e-3)', {
  skip: noGenerated,
}, async () => {
  for (const path of graphs) {
    const source = await openSource(join(generated, path));
    const factored = await apply(source.body, fullRank(source.body));
    assert.ok(
      [...factored.model.tensors.keys()].some(name => name.includes('.second.weight')),
      path,
    );
    const { inputs } = expectedOf(path.split('/')[0]!);
    const [ids, mask] = [inputs.input_ids as Rows, inputs.attention_mask as Rows];
    const before = await run(join(generated, path), ids, mask);
    const after = await run(await bytesOf(factored), ids, mask);
    const bound = path.includes('fp16') ? 5e-3 : 1e-5;
    for (const [name, output] of Object.entries(before)) {
      const largest = Math.max(1, ...numbersOf(output).map(Math.abs));
      const difference = farthest(numbersOf(output), numbersOf(after[name]!)) / largest;
      assert.ok(difference < bound, `${path} ${name}: ${difference}`);
    }
    await source.close();
  }
});

test('full rank of a checkpoint, exported, gives the outputs of the original exported, within 1e-5', {
  skip: noGenerated,
}, async () => {
  for (const family of ['bert-base', 'distilbert-base', 'roberta-base', 'albert-base', 'electra-base']) {
    const source = await openSource(join(generated, family, 'model.safetensors'));
    const factored = await apply(
      source.body,
      fullRank(source.body, (out, width) => out !== width),
    );
    const ids = expectedOf(family).inputs.input_ids as Rows;
    const before = await run(await bytesOf(await asGraph(source.body)), ids);
    const after = await run(await bytesOf(await asGraph(factored)), ids);
    for (const [name, output] of Object.entries(before))
      assert.ok(farthest(numbersOf(output), numbersOf(after[name]!)) < 1e-5, `${family} ${name}`);
    await source.close();
  }
});

test('a factored file is seen as factored: the two factors of each matrix with its rank, its bias, and their parameters', {
  skip: noGenerated,
}, async () => {
  for (const file of ['model.safetensors', 'model.torchscript.onnx', 'model.sdpa.onnx', 'model.dynamo.onnx']) {
    const source = await openSource(join(bert, file));
    const { model } = await apply(source.body, await planOf(source.body, { rank: 6 }, 'factorize'));
    const written = { ...(await openMemory(await writeToMemory(model), nameOf(model))), config: model.config };
    const anatomy = await detect(written);
    for (const layer of anatomy.layers)
      for (const linear of matricesIn(layer)) {
        const { first, second } = linear.factors!;
        assert.deepEqual([linear.form, first.out, second.in], ['factored', 6, 6], `${file} ${linear.id}`);
        assert.deepEqual([first.in, second.out], [linear.in, linear.out]);
        assert.deepEqual([first.id, second.id], [`${linear.id}.first`, `${linear.id}.second`]);
        assert.equal(linear.bias?.shape[0], linear.out);
      }
    const factors = anatomy.layers.flatMap(layer => matricesIn(layer).map(({ out, in: width }) => 6 * (out + width)));
    const wholes = anatomy.layers.flatMap(layer => matricesIn(layer).map(({ out, in: width }) => out * width));
    const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
    const [before, after] = [summarize(source.body.model, source.body.anatomy), summarize(written, anatomy)];
    assert.equal(after.model.parameters, before.model.parameters - sum(wholes) + sum(factors), file);
    assert.equal(anatomy.unclaimed.length, source.body.anatomy.unclaimed.length);
    await source.close();
  }
});

test('compare multiplies the factors out: the error of a matrix is its lost singular values within 1e-4, on the row of its weight', {
  skip: noGenerated,
}, async () => {
  for (const file of ['model.safetensors', 'model.torchscript.onnx']) {
    const source = await openSource(join(bert, file));
    const rank = 8;
    const factored = await apply(source.body, await planOf(source.body, { rank }, 'factorize'));
    const { rows } = await compareModels(source.body, factored);
    for (const linear of wholesOf(source.body)) {
      const values = await readFloats(linear.weight);
      const [kept, total] = await energy(values, linear.weight.shape[0]!, linear.weight.shape[1]!, rank);
      const { error, change } = rows.find(({ id }) => id === `${linear.id}.weight`)!;
      assert.equal(change, 'removed');
      assert.ok(Math.abs(error!.relative - Math.sqrt(1 - kept / total)) < 1e-4, `${linear.id}: ${error!.relative}`);
    }
    await source.close();
  }
});

/** Sum of the `rank` largest squared singular values, by Jacobi rotations of the columns, and of all. source: Hestenes, 1958. */
async function energy(values: Float32Array, rows: number, columns: number, rank: number): Promise<[number, number]> {
  const a = Array.from({ length: columns }, (_, c) => Float64Array.from({ length: rows }, (_, r) => values[r * columns + c]!));
  const dot = (x: Float64Array, y: Float64Array) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  for (let sweep = 0; sweep < 12; sweep++)
    for (let i = 0; i < columns; i++)
      for (let j = i + 1; j < columns; j++) {
        const [x, y] = [a[i]!, a[j]!];
        const product = dot(x, y);
        if (Math.abs(product) < 1e-14) continue;
        const angle = 0.5 * Math.atan2(2 * product, dot(x, x) - dot(y, y));
        const [c, s] = [Math.cos(angle), Math.sin(angle)];
        for (let k = 0; k < rows; k++) [x[k], y[k]] = [c * x[k]! + s * y[k]!, c * y[k]! - s * x[k]!];
      }
  const squares = a.map(x => dot(x, x)).sort((x, y) => y - x);
  const sum = (list: number[]) => list.reduce((x, y) => x + y, 0);
  return [sum(squares.slice(0, rank)), sum(squares)];
}

test('ranks: break-even is 384 for 768 x 768 and 614.4 for 768 x 3072; a ratio gives the largest rank within it', () => {
  const [square, wide] = [
    { out: 768, in: 768 },
    { out: 3072, in: 768 },
  ];
  assert.deepEqual([mostRank(square), mostRank(wide)], [383, 614]);
  assert.equal(growing(383, square), undefined);
  assert.match(growing(384, square)!.text, /would not make it smaller/);
  assert.match(growing(769, square)!.text, /more than it has/);
  assert.deepEqual([rankOf(0.6, { out: 384, in: 384 }), rankOf(0.6, { out: 1536, in: 384 })], [115, 184]);
  assert.equal(rankOfEnergy([3, 1, 1], 0.8), 1);
  assert.equal(rankOfEnergy([3, 1, 1], 0.9), 2);
});

test('matrices that would grow are left alone with the reason, and nothing is left to do', { skip: noGenerated }, async () => {
  const source = await openSource(join(bert, 'model.safetensors'));
  const noted = await planOf(source.body, { rank: 8 }, 'factorize');
  assert.match(noted.skipped.at(-1)!.reason.text, /No class of transformers/);
  const { edits, skipped } = await planOf(source.body, { rank: 30 }, 'factorize');
  assert.equal(edits.length, 0);
  assert.ok(skipped.every(({ reason }) => /would not make it smaller/.test(reason.text)));
  await assert.rejects(planOf(source.body, { rank: 3, ratio: 0.5 }, 'factorize'), /Give rank or ratio, not both/);
  await assert.rejects(planOf(source.body, { rank: 0 }, 'factorize'), HeadroomError);
  await source.close();
});

test('rank 0 is refused, and so is one that is no whole number', { skip: noGenerated }, async () => {
  const source = await openSource(join(bert, 'model.safetensors'));
  for (const rank of [0, -3, 2.5])
    for (const method of ['svd', 'kronecker'])
      await assert.rejects(
        planOf(source.body, { rank, method }, 'factorize'),
        (error: HeadroomError) => error.code === 'bad-recipe',
      );
  const full = await planOf(source.body, { rank: 41, include: ['*.query'] }, 'factorize');
  assert.ok(full.skipped.some(({ target, reason }) => /query/.test(target) && /more than it has/.test(reason.text)));
  await source.close();
});

test('NaN in a weight is an error that names the matrix', { skip: noGenerated }, async () => {
  const source = await openSource(join(bert, 'model.safetensors'));
  const { weight } = source.body.anatomy.layers[1]!.up;
  const values = await readFloats(weight);
  values[7] = Number.NaN;
  const tensors = new Map(source.body.model.tensors).set(weight.name, held(weight.name, 'fp32', weight.shape, values));
  const model = { ...source.body.model, tensors };
  const body = { model, anatomy: await detect(model) };
  const factored = await apply(body, await planOf(body, { ratio: 0.5 }, 'factorize'));
  await assert.rejects(writeToMemory(factored.model), /encoder.layer.1.intermediate.dense holds NaN/);
  await source.close();
});

test('a factored model is quantized factor by factor, runs within cosine 0.99 of it, and is seen as factored still', {
  skip: noGenerated,
}, async () => {
  for (const [file, scheme] of [
    ['model.torchscript.onnx', 'int8'],
    ['model.dynamo.onnx', 'int8-dynamic'],
  ] as const) {
    const source = await openSource(join(bert, file));
    const factored = await apply(
      source.body,
      await planOf(source.body, { rank: 20, include: ['*.intermediate.dense'] }, 'factorize'),
    );
    const quantized = await apply(factored, await planOf(factored, { scheme, embedding_bits: 32 }));
    const { inputs } = expectedOf('bert-base');
    const ids = inputs.input_ids as Rows;
    const [name, before] = Object.entries(await run(await bytesOf(factored), ids))[0]!;
    const after = await run(await bytesOf(quantized), ids);
    const similar = cosine(numbersOf(before), numbersOf(after[name]!));
    assert.ok(similar > 0.99, `${file}: ${similar}`);
    const { up } = quantized.anatomy.layers[0]!;
    assert.deepEqual([up.form, up.factors?.first.form, up.factors?.second.form], ['factored', 'quantized', 'quantized'], file);
    await source.close();
  }
});

test('a budget is spent where it takes away most for each parameter, and never more than it is', () => {
  const linear = { out: 40, in: 40 };
  const flat = { linear, values: new Float64Array(40).fill(1), loss: 1 };
  const steep = { linear, values: Float64Array.from({ length: 40 }, (_, i) => 0.5 ** i), loss: 1 };
  const [a, b] = spend([flat, steep], 0.5) as [number, number];
  assert.ok(a > b && (a + b) * 80 <= 0.5 * 2 * 1600 && (a + b + 1) * 80 > 0.5 * 2 * 1600, `${a} ${b}`);
  assert.deepEqual(spend([steep, steep], 0.5), [10, 10]);
  assert.equal(spend([{ ...flat, loss: 1000 }, flat], 0.9)[0], mostRank(linear));
});

test('a global allocation without text is spent by energy, and its dry run says the sizes of the run', {
  skip: noGenerated,
}, async () => {
  const source = await openSource(join(bert, 'model.safetensors'));
  const options = { ratio: 0.5, allocation: 'global' };
  const [plan, dry] = [await planOf(source.body, options, 'factorize'), await planOf(source.body, options, 'factorize', true)];
  const sizes = ({ edits }: Plan) =>
    edits.map(edit => edit.kind === 'factor' && [edit.target.id, edit.first.shape, edit.second.shape]);
  assert.deepEqual(sizes(dry), sizes(plan));
  const uniform = await planOf(source.body, { ratio: 0.5 }, 'factorize');
  assert.notDeepEqual(sizes(uniform), sizes(plan));
  await assert.rejects(planOf(source.body, { rank: 4, allocation: 'global' }, 'factorize'), /give ratio/);
  await source.close();
});

test('prune, then factorize, then quantize: each step sees what the one before left, and the result runs and is seen as what it is', {
  skip: noGenerated,
}, async () => {
  const source = await openSource(join(bert, 'model.torchscript.onnx'));
  const [first] = source.body.anatomy.layers;
  const pruned = await apply(source.body, await planOf(source.body, { remove: { '0': [1] } }, 'prune-heads'));
  const factored = await apply(
    pruned,
    await planOf(pruned, { rank: 16, include: ['*.intermediate.dense', '*.value'] }, 'factorize'),
  );
  const quantized = await apply(factored, await planOf(factored, { scheme: 'int8' }));
  const [layer] = quantized.anatomy.layers;
  assert.deepEqual([layer!.heads, layer!.value.out], [first!.heads - 1, first!.value.out - first!.headDim]);
  assert.equal(layer!.up.form, 'factored');
  assert.equal(layer!.value.form, 'factored');
  const again = await planOf(quantized, { rank: 4 }, 'factorize');
  assert.ok(again.skipped.some(({ target, reason }) => target === layer!.up.id && /already factored/.test(reason.text)));
  const heads = await planOf(quantized, { remove: { '0': [0] } }, 'prune-heads').catch(error => error);
  assert.ok(heads instanceof HeadroomError || heads.edits.length === 0);
  const ids = expectedOf('bert-base').inputs.input_ids as Rows;
  const [output] = Object.values(await run(await bytesOf(quantized), ids));
  assert.ok(numbersOf(output!).every(Number.isFinite));
  await source.close();
});

test('factors by onnxruntime’s products lose what those in f64 lose, within 1e-6, and a matrix that fp32 does not suffice for is done in f64', async () => {
  const [out, width, rank] = [160, 200, 40];
  const lines = Float32Array.from({ length: out * width }, (_, i) => Math.sin(i * i) + (i % 7) / 10);
  const thin = Float32Array.from({ length: out * width }, (_, i) => (i % width) / width + Math.floor(i / width));
  const products = openProducts(1);
  for (const values of [lines, thin]) {
    const weight = held('weight', 'fp32', [out, width], values);
    const target: Linear = { id: 'matrix', weight, out, in: width, transposed: false, form: 'dense', nodes: [] };
    const lost: number[] = [];
    for (const product of [undefined, products.product]) {
      const { first, second } = plainFactors(target, rank, product);
      const [first_RI, second_OR] = [await readFloats(first), await readFloats(second)];
      let sum = 0;
      for (let o = 0; o < out; o++)
        for (let i = 0; i < width; i++) {
          let value = values[o * width + i]!;
          for (let r = 0; r < rank; r++) value -= second_OR[o * rank + r]! * first_RI[r * width + i]!;
          sum += value * value;
        }
      lost.push(Math.sqrt(sum));
    }
    const size = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    assert.ok(Math.abs(lost[0]! - lost[1]!) < 1e-6 * size, `${lost}`);
  }
  await products.close();
});
