import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { detect } from '../../../src/core/anatomy/detect.ts';
import { svd } from '../../../src/core/kernels/linear-algebra/svd.ts';
import { held } from '../../../src/core/passes/computed.ts';
import { type Head, narrowHead } from '../../../src/core/passes/factorize/query-key.ts';
import type { NarrowHeadsEdit, Plan } from '../../../src/core/passes/pass.ts';
import { parseRecipe } from '../../../src/core/passes/recipe.ts';
import { passes } from '../../../src/core/passes/registry.ts';
import { summarize } from '../../../src/core/report/summary.ts';
import { apply, type Body } from '../../../src/core/rewrite/apply.ts';
import { asGraph } from '../../../src/core/session/as-graph.ts';
import { openCalibration } from '../../../src/core/session/calibrate.ts';
import { openPath } from '../../../src/core/session/open.ts';
import { readFloats } from '../../../src/core/tensor/floats.ts';
import { expectedOf, generated, nameOf, noGenerated, openMemory, openSource, planOf, writeToMemory } from './fixtures.ts';
import { numbersOf, type Rows, run } from './run.ts';

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
}

const [depth, width] = [6, 9];

function headOf(seed: number): Head {
  const next = random(seed);
  const numbers = (count: number) => Float64Array.from({ length: count }, next);
  return { query: numbers(depth * width), queryBias: numbers(depth), key: numbers(depth * width) };
}

/** [Wq bq]^T Wk, [width + 1, width]: what a score is, up to what is the same for all keys. */
function scores(query: Float64Array, bias: Float64Array, key: Float64Array): Float64Array {
  const into = new Float64Array((width + 1) * width);
  for (let d = 0; d < bias.length; d++)
    for (let i = 0; i <= width; i++)
      for (let j = 0; j < width; j++)
        into[i * width + j]! += (i === width ? bias[d]! : query[d * width + i]!) * key[d * width + j]!;
  return into;
}

const far = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.sqrt(Array.from(a).reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0));

test('at its full width a head has its scores within 1e-6, the query bias folded in; narrower, it loses the rest of their singular values', async () => {
  const head = headOf(3);
  const original = scores(head.query, head.queryBias, head.key);
  const { values } = await svd(Float32Array.from(original), width + 1, width);
  for (let rank = 1; rank <= depth; rank++) {
    const made = (await narrowHead(head, depth, width, rank))!;
    const lost = far(original, scores(made.query, made.queryBias, made.key));
    const least = Math.sqrt(values.subarray(rank).reduce((sum, value) => sum + value * value, 0));
    assert.ok(Math.abs(lost - (rank === depth ? 0 : least)) < 1e-6 * values[0]!, `${rank}: ${lost}, ${least}`);
  }
});

test('with moments the mean square of the score error over pairs of inputs is less than without, and no pair found near has less', async () => {
  const [head, next] = [headOf(5), random(9)];
  const mix = Float64Array.from({ length: width * width }, (_, at) => next() * (1 + 8 * Number(at % width < 2)));
  const mean = Float64Array.from({ length: width }, () => 2 * next());
  const inputs = Array.from({ length: 400 }, () => {
    const z = Float64Array.from({ length: width }, next);
    return mean.map((value, i) => value + z.reduce((sum, x, j) => sum + mix[i * width + j]! * x, 0));
  });
  const average = mean.map((_, i) => inputs.reduce((sum, x) => sum + x[i]! / inputs.length, 0));
  const covariance = new Float64Array(width * width);
  for (const x of inputs)
    for (let i = 0; i < width; i++)
      for (let j = 0; j < width; j++)
        covariance[i * width + j]! += ((x[i]! - average[i]!) * (x[j]! - average[j]!)) / inputs.length;
  const original = scores(head.query, head.queryBias, head.key);
  /** Over all pairs; keys about their mean, since what is the same for all keys is not seen. */
  const error = (made: Pick<Head, 'query' | 'queryBias' | 'key'>) => {
    const difference = scores(made.query, made.queryBias, made.key).map((value, at) => value - original[at]!);
    let sum = 0;
    for (const x of inputs) {
      const row = new Float64Array(width);
      for (let i = 0; i <= width; i++) for (let j = 0; j < width; j++) row[j]! += (x[i] ?? 1) * difference[i * width + j]!;
      for (let i = 0; i < width; i++) for (let j = 0; j < width; j++) sum += row[i]! * covariance[i * width + j]! * row[j]!;
    }
    return sum / inputs.length;
  };
  const seen = (await narrowHead({ ...head, moments: { covariance, mean: average } }, depth, width, 3))!;
  const blind = (await narrowHead(head, depth, width, 3))!;
  const least = error(seen);
  assert.ok(least < 0.9 * error(blind), `${least}, ${error(blind)}`);
  assert.ok(Math.abs(least / seen.values.subarray(3).reduce((sum, value) => sum + value * value, 0) - 1) < 1e-3);
  for (let attempt = 0; attempt < 40; attempt++) {
    const near = (numbers: Float64Array) => numbers.map(value => value * (1 + 0.02 * next()));
    assert.ok(error({ query: near(seen.query), queryBias: near(seen.queryBias), key: near(seen.key) }) > least);
  }
  assert.equal(await narrowHead({ ...head, key: head.key.map(() => Number.NaN) }, depth, width, 3), undefined);
});

/** The same numbers in heads of the old width, with zeros behind them: what the old graph runs. */
async function padded(body: Body, edits: readonly NarrowHeadsEdit[]): Promise<Body> {
  const wide: Plan['edits'][number][] = [];
  for (const edit of edits) {
    const layer = body.anatomy.layers[edit.layer]!;
    const { heads, headDim } = layer;
    for (const [target, made] of [
      [layer.query, edit.query],
      [layer.key, edit.key],
    ] as const) {
      const place = (o: number) => Math.floor(o / edit.width) * headDim + (o % edit.width);
      const [weights, biases] = [await readFloats(made.weight), await readFloats(made.bias)];
      const [out, narrow] = [heads * headDim, heads * edit.width];
      const weight = new Float32Array(out * target.in);
      const bias = new Float32Array(out);
      for (let o = 0; o < narrow; o++) {
        bias[place(o)] = biases[o]!;
        for (let i = 0; i < target.in; i++)
          if (target.transposed) weight[i * out + place(o)] = weights[i * narrow + o]!;
          else weight[place(o) * target.in + i] = weights[o * target.in + i]!;
      }
      wide.push({
        kind: 'replace',
        target,
        weight: held('weight', 'fp32', target.weight.shape, weight),
        bias: held('bias', 'fp32', target.bias!.shape, bias),
      });
    }
  }
  return apply(body, { edits: wide, skipped: [] });
}

test('a graph with narrower query and key gives what the old one gives with zeros in place of the rest, within 1e-5, and is seen as such', {
  skip: noGenerated,
}, async () => {
  let graphs = 0;
  for (const file of ['model.torchscript.onnx', 'model.sdpa.onnx', 'model.dynamo.onnx', 'model.safetensors']) {
    const source = await openSource(join(generated, 'bert-base', file));
    const body = source.body.model.graph ? source.body : await asGraph(source.body);
    const plan = await planOf(body, { method: 'query-key', rank: 6 }, 'factorize');
    const edits = plan.edits.filter(edit => edit.kind === 'narrow-heads');
    if (edits.length === 0) {
      assert.ok(
        plan.skipped.some(({ reason }) => /splits query and key into heads/.test(reason.text)),
        file,
      );
      await source.close();
      continue;
    }
    graphs++;
    const narrow = await apply(body, plan);
    const before = summarize(body.model, body.anatomy).model;
    const after = summarize(narrow.model, narrow.anatomy).model;
    const removed = body.anatomy.layers.reduce(
      (sum, { heads, headDim, query }) => sum + 2 * heads * (headDim - 6) * (query.in + 1),
      0,
    );
    assert.equal(after.parameters, before.parameters - removed, file);
    assert.deepEqual([after.layers, after.heads, after.headDim], [before.layers, before.heads, 6], file);
    const written = await openMemory(await writeToMemory(narrow.model), nameOf(narrow.model));
    const found = await detect({ ...written, config: narrow.model.config });
    for (const { query, key, value, heads } of found.layers)
      assert.deepEqual([query.out, key.out, value.out], [heads * 6, heads * 6, body.anatomy.layers[0]!.value.out], file);
    assert.equal(found.unclaimed.length, body.anatomy.unclaimed.length, file);
    const pruning = await planOf(narrow, { remove: { '0': [1] } }, 'prune-heads').catch(() => undefined);
    assert.ok(!pruning || pruning.edits.length === 0, 'heads of two widths are not pruned');
    const bytes = async ({ model }: Body) => (await writeToMemory(model)).get(nameOf(model))!;
    const ids = expectedOf('bert-base').inputs.input_ids as Rows;
    const [expected, given] = [await run(await bytes(await padded(body, edits)), ids), await run(await bytes(narrow), ids)];
    for (const [name, output] of Object.entries(expected)) {
      const [a, b] = [numbersOf(output), numbersOf(given[name]!)];
      const most = a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i]!)), 0);
      assert.ok(most < 1e-5, `${file} ${name}: ${most}`);
    }
    await source.close();
  }
  assert.equal(graphs, 4);
});

test('on a text, narrower heads are nearer to the original’s vectors than without; checkpoints and widths that save nothing have their reasons', {
  skip: noGenerated,
}, async () => {
  const opened = await openPath(join(generated, 'bert-base/model.torchscript.onnx'));
  const lines = 'a b c|d|the cat sat on the mat|x y z w|one two three|q r s t u v w x y z|m n o p|e f g h i j k'.split('|');
  const calibration = await openCalibration(opened, opened, lines);
  const pass = passes.find(({ id }) => id === 'factorize')!;
  const [step] = parseRecipe({ version: 1, steps: [{ pass: 'factorize', options: { method: 'query-key', rank: 3 } }] }).steps;
  const { model, anatomy } = opened;
  const context = { model, format: model.format };
  const seen = await pass.plan(anatomy, step!.options as never, { ...context, calibration: async () => calibration });
  const blind = await pass.plan(anatomy, step!.options as never, context);
  const { pooled } = await calibration.vectors([]);
  const distance = async ({ edits }: Plan) => far((await calibration.vectors(edits)).pooled, pooled);
  const [near, away] = [await distance(seen), await distance(blind)];
  assert.ok(near < away, `${near}, ${away}`);
  await calibration.close();
  await opened.close();
  const whole = await planOf(opened, { method: 'query-key', rank: 10 }, 'factorize');
  assert.ok(
    whole.edits.length === 0 && whole.skipped.some(({ reason }) => /would not make query and key smaller/.test(reason.text)),
  );
  const checkpoint = await openSource(join(generated, 'bert-base/model.safetensors'));
  const { edits, skipped } = await planOf(checkpoint.body, { method: 'query-key', rank: 6 }, 'factorize');
  assert.ok(edits.length === 0 && skipped.some(({ reason }) => /one width of a head/.test(reason.text)));
  await checkpoint.close();
});
