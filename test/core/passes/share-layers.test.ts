import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { matricesIn } from '../../../src/core/anatomy/anatomy.ts';
import { detect } from '../../../src/core/anatomy/detect.ts';
import { meanOf } from '../../../src/core/passes/share/plan.ts';
import { summarize } from '../../../src/core/report/summary.ts';
import { apply, type Body } from '../../../src/core/rewrite/apply.ts';
import { asGraph } from '../../../src/core/session/as-graph.ts';
import { openCalibration } from '../../../src/core/session/calibrate.ts';
import { openPath } from '../../../src/core/session/open.ts';
import { readFloats } from '../../../src/core/tensor/floats.ts';
import { expectedOf, generated, nameOf, noGenerated, openMemory, openSource, planOf, writeToMemory } from './fixtures.ts';
import { numbersOf, type Rows, run } from './run.ts';

const bytesOf = async ({ model }: Body): Promise<Uint8Array> => (await writeToMemory(model)).get(nameOf(model))!;
const farthest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
const parameters = ({ model, anatomy }: Body): number => summarize(model, anatomy).model.parameters;

const words = 'the a cat dog house runs sees of in to and is was big small one two three red blue'.split(' ');

/** The model with the means of all layers' matrices in every layer, and of all else in `paths` too. */
async function withMeans(body: Body, isEverything: boolean): Promise<Body> {
  const { layers } = body.anatomy;
  const edits = layers.flatMap(layer => [
    ...matricesIn(layer).map((target, place) => ({
      kind: 'replace' as const,
      target,
      weight: meanOf(layers.map(each => matricesIn(each)[place]!.weight)),
      bias: meanOf(layers.map(each => matricesIn(each)[place]!.bias!)),
    })),
    ...(isEverything
      ? (['attentionNorm', 'outputNorm'] as const).map(norm => ({
          kind: 'replace' as const,
          target: layer[norm],
          weight: meanOf(layers.map(each => each[norm].weight!)),
          bias: meanOf(layers.map(each => each[norm].bias!)),
        }))
      : []),
  ]);
  return apply(body, { edits, skipped: [] });
}

test('a graph whose layers share computes what means in every layer compute, to 1e-5, and counts the shared tensors once', {
  skip: noGenerated,
}, async () => {
  for (const path of ['bert-base/model.torchscript.onnx', 'bert-base/model.dynamo.onnx', 'roberta-base/model.torchscript.onnx']) {
    const source = await openSource(join(generated, path));
    const count = source.body.anatomy.layers.length;
    const shared = await apply(source.body, await planOf(source.body, { size: count }, 'share-layers'));
    const ids = expectedOf(path.split('/')[0]!).inputs.input_ids as Rows;
    const expected = await run(await bytesOf(await withMeans(source.body, false)), ids);
    const found = await run(await bytesOf(shared), ids);
    for (const [name, output] of Object.entries(expected))
      assert.ok(farthest(numbersOf(output), numbersOf(found[name]!)) < 1e-5, `${path} ${name}`);
    const written = await openMemory(await writeToMemory(shared.model), nameOf(shared.model));
    const body = {
      model: { ...written, config: shared.model.config },
      anatomy: await detect({ ...written, config: shared.model.config }),
    };
    assert.deepEqual(
      body.anatomy.layers.map(({ stored }) => stored),
      body.anatomy.layers.map(() => 0),
      path,
    );
    const each = matricesIn(source.body.anatomy.layers[0]!).reduce((sum, { out, in: width }) => sum + out * (width + 1), 0);
    assert.equal(parameters(body), parameters(source.body) - (count - 1) * each, path);
    assert.ok((await bytesOf(shared)).length < source.body.model.byteLength - 4 * (count - 1) * each + 100, path);
    await source.close();
  }
});

test('a checkpoint becomes an ALBERT that computes what means in every layer compute, to 1e-5; a RoBERTa keeps its class', {
  skip: noGenerated,
}, async () => {
  for (const [family, type] of [
    ['bert-base', 'albert'],
    ['bert-sequence-classification', 'albert'],
    ['roberta-base', 'roberta'],
  ] as const) {
    const source = await openSource(join(generated, family, 'model.safetensors'));
    const { body } = source;
    const count = body.anatomy.layers.length;
    const plan = await planOf(body, { size: count }, 'share-layers');
    const shared = await apply(body, plan);
    assert.equal(shared.anatomy.family, type);
    assert.equal(shared.anatomy.layers.length, count);
    assert.match(plan.skipped.at(-1)!.reason.text, type === 'albert' ? /becomes an ALBERT/ : /No class of transformers/);
    const ids = expectedOf(family).inputs.input_ids as Rows;
    // The same model as a graph: one with equal layers in a checkpoint would be exported with copies.
    const graph = await openSource(join(generated, family, 'model.torchscript.onnx'));
    const expected = await run(await bytesOf(await withMeans(graph.body, true)), ids);
    await graph.close();
    const found = await run(await bytesOf(await asGraph(shared)), ids);
    for (const [name, output] of Object.entries(expected))
      assert.ok(farthest(numbersOf(output), numbersOf(found[name]!)) < 1e-5, `${family} ${name}`);
    const written = await openMemory(await writeToMemory(shared.model), nameOf(shared.model));
    const anatomy = await detect({ ...written, config: shared.model.config });
    assert.equal(parameters({ model: written, anatomy }), parameters(shared));
    assert.ok(parameters(shared) < parameters(body));
    await source.close();
  }
});

test('a shared basis is one inner factor that the matrices of a group read, and an outer one for each', {
  skip: noGenerated,
}, async () => {
  const source = await openSource(join(generated, 'bert-base/model.torchscript.onnx'));
  const shared = await apply(
    source.body,
    await planOf(source.body, { groups: [[0, 1]], method: 'basis', ratio: 0.8 }, 'share-layers'),
  );
  const [first, second] = shared.anatomy.layers;
  for (const [place, linear] of matricesIn(first!).entries()) {
    const other = matricesIn(second!)[place]!;
    assert.equal(linear.factors!.first.weight.name, other.factors!.first.weight.name);
    assert.notEqual(linear.factors!.second.weight.name, other.factors!.second.weight.name);
  }
  assert.ok(parameters(shared) < parameters(source.body));
  const ids = expectedOf('bert-base').inputs.input_ids as Rows;
  const [output] = Object.values(await run(await bytesOf(shared), ids));
  assert.ok(numbersOf(output!).every(Number.isFinite));
  await source.close();
});

test('on text, a shared basis with outer factors refitted moves the vectors less than one of the weights alone, at the same size', {
  skip: noGenerated,
}, async () => {
  const opened = await openPath(join(generated, 'bert-base/model.torchscript.onnx'));
  const texts = Array.from({ length: 24 }, (_, i) =>
    Array.from({ length: 3 + (i % 7) }, (__, j) => words[(i * 7 + j * (3 + (i % 5))) % words.length]).join(' '),
  );
  const calibration = await openCalibration(opened, opened, texts);
  try {
    const options = { groups: [[0, 1]], method: 'basis', ratio: 0.7 };
    const { pooled } = await calibration.vectors([]);
    const [moved, sizes]: [number[], number[]] = [[], []];
    for (const more of [{}, { calibration: async () => calibration }]) {
      const { edits } = await planOf(opened, options, 'share-layers', false, more);
      const after = await calibration.vectors(edits);
      moved.push(after.pooled.reduce((sum, value, i) => sum + (value - pooled[i]!) ** 2, 0));
      sizes.push((await bytesOf(await apply(opened, { edits, skipped: [] }))).length);
    }
    assert.ok(moved[1]! < 0.5 * moved[0]!, `${moved[1]} of ${moved[0]}`);
    const promised = await planOf(opened, options, 'share-layers', true, { calibration: async () => calibration });
    sizes.push((await bytesOf(await apply(opened, promised))).length);
    assert.equal(sizes[2], sizes[1]);
    // What is written anew takes a byte more than torch wrote.
    assert.ok(Math.abs(sizes[1]! - sizes[0]!) < 64, `${sizes[1]} is not ${sizes[0]}`);
  } finally {
    await calibration.close();
    await opened.close();
  }
});

test('groups of one layer change nothing; layers that are not there, twice there or of other shapes are told', {
  skip: noGenerated,
}, async () => {
  const source = await openSource(join(generated, 'bert-base/model.safetensors'));
  const alone = await planOf(source.body, { size: 1 }, 'share-layers');
  assert.equal(alone.edits.length, 0);
  assert.ok(alone.skipped.every(({ reason }) => /changes nothing/.test(reason.text)));
  await assert.rejects(planOf(source.body, { groups: [[0, 99]] }, 'share-layers'), /There is no layer 99/);
  await assert.rejects(planOf(source.body, { groups: [[0], [0, 1]] }, 'share-layers'), /Layer 0 is in two groups/);
  await assert.rejects(planOf(source.body, {}, 'share-layers'), /give groups or size/);
  const pruned = await apply(source.body, { edits: [{ kind: 'remove-neurons', layer: 0, neurons: [0] }], skipped: [] });
  const { edits, skipped } = await planOf(pruned, { groups: [[0, 1]] }, 'share-layers');
  assert.equal(edits.length, 0);
  assert.match(skipped[0]!.reason.text, /other shapes/);
  await source.close();
});

test('the mean of two tensors is their mean, read in any pieces', async () => {
  const tensor = (values: number[]) => {
    const bytes = new Uint8Array(Float32Array.from(values).buffer);
    return { name: 't', dtype: 'fp32' as const, shape: [4], byteLength: 16, bytes: async (s = 0, e = 16) => bytes.slice(s, e) };
  };
  const mean = meanOf([tensor([1, 2, 3, 4]), tensor([3, 4, 5, 8])]);
  assert.deepEqual([...(await readFloats(mean))], [2, 3, 4, 6]);
  assert.deepEqual([...(await readFloats(mean, 1, 3))], [3, 4]);
});
