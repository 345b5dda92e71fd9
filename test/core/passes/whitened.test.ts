import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { matricesIn } from '../../../src/core/anatomy/anatomy.ts';
import { held } from '../../../src/core/passes/computed.ts';
import { whiten } from '../../../src/core/passes/factorize/whiten.ts';
import type { FactorEdit, Plan } from '../../../src/core/passes/pass.ts';
import { parseRecipe } from '../../../src/core/passes/recipe.ts';
import { passes } from '../../../src/core/passes/registry.ts';
import { apply, type Body } from '../../../src/core/rewrite/apply.ts';
import { openCalibration } from '../../../src/core/session/calibrate.ts';
import { type Opened, openPath } from '../../../src/core/session/open.ts';
import { readFloats } from '../../../src/core/tensor/floats.ts';
import { generated, noGenerated, openSource, planOf } from './fixtures.ts';

const texts = 'a b c|d|the cat sat on the mat|x y z w|one two three|q r s t u v w x y z|m n o p|e f g h i j k'.split('|');
const pause = async () => {};

async function planned(opened: Opened, id: string, options: Record<string, unknown>, body: Body = opened, lines = texts) {
  const calibration = await openCalibration(opened, body, lines);
  const [step] = parseRecipe({ version: 1, steps: [{ pass: id, options }] }).steps;
  const pass = passes.find(it => it.id === id)!;
  const { model, anatomy } = body;
  const plan: Plan = await pass.plan(anatomy, step!.options as never, {
    model,
    format: model.format,
    calibration: async () => calibration,
  });
  return { plan, calibration };
}

const rows = (count: number, width: number, next: () => number) => Float32Array.from({ length: count * width }, next);

function random(): () => number {
  let state = 7;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
}

test('whitened factors lose the squares of the singular values behind the rank, within 1e-3 of them, and no other rank-R matrix found near loses less', async () => {
  const [out, width, rank, next] = [6, 8, 3, random()] as const;
  const weight = rows(out, width, next);
  const mix = rows(width, width, next);
  const gram = new Float64Array(width * width);
  for (let i = 0; i < width; i++)
    for (let j = 0; j < width; j++)
      for (let k = 0; k < width; k++) gram[i * width + j]! += mix[i * width + k]! * mix[j * width + k]!;
  const made = (await whiten(weight, gram, out, width, rank, pause))!;
  const loss = ({ first, second }: { first: Float32Array; second: Float32Array }) => {
    let sum = 0;
    for (let o = 0; o < out; o++) {
      const row = Float64Array.from({ length: width }, (_, i) => {
        let value = weight[o * width + i]!;
        for (let r = 0; r < rank; r++) value -= second[o * rank + r]! * first[r * width + i]!;
        return value;
      });
      for (let i = 0; i < width; i++) for (let j = 0; j < width; j++) sum += row[i]! * gram[i * width + j]! * row[j]!;
    }
    return sum;
  };
  const promised = made.values.slice(rank).reduce((sum, value) => sum + value * value, 0);
  const found = loss(made);
  assert.ok(Math.abs(found - promised) < 1e-3 * promised, `${found} is not ${promised}`);
  for (let attempt = 0; attempt < 50; attempt++) {
    const near = (values: Float32Array) => values.map(value => value + 0.02 * next());
    assert.ok(loss({ first: near(made.first), second: near(made.second) }) > found);
  }
});

test('a Gram matrix that is singular is damped, one that is not finite is refused', async () => {
  const [weight, gram] = [rows(3, 4, random()), new Float64Array(16).fill(1)];
  assert.ok((await whiten(weight, gram, 3, 4, 2, pause))!.damping > 0);
  assert.equal(await whiten(weight, gram.fill(Number.NaN), 3, 4, 2, pause), undefined);
});

test('whitened factors of a graph and a checkpoint are nearer to the original’s vectors than plain ones of the same rank', {
  skip: noGenerated,
}, async () => {
  for (const file of ['model.torchscript.onnx', 'model.safetensors']) {
    const opened = await openPath(join(generated, 'bert-base', file));
    const { plan, calibration } = await planned(opened, 'factorize', { rank: 14, method: 'whitened' });
    const plain = await planOf(opened, { rank: 14 }, 'factorize');
    const factors = ({ edits }: Plan) => edits.filter((edit): edit is FactorEdit => edit.kind === 'factor');
    assert.deepEqual(
      factors(plan).map(({ target, first, second }) => [target.id, first.shape, second.shape]),
      factors(plain).map(({ target, first, second }) => [target.id, first.shape, second.shape]),
    );
    const { pooled } = await calibration.vectors([]);
    const distance = async ({ edits }: Plan) => {
      const found = (await calibration.vectors(edits)).pooled;
      return found.reduce((sum, value, i) => sum + (value - pooled[i]!) ** 2, 0);
    };
    const [near, far] = [await distance(plan), await distance(plain)];
    assert.ok(near < 0.7 * far, `${file}: ${near} is not well below ${far}`);
    assert.ok(
      plan.edits.some(edit => edit.kind === 'replace'),
      'norms are refitted',
    );
    await calibration.close();
    await opened.close();
  }
});

test('a text of fewer tokens than channels is used, and what it takes to damp its moments is said of each matrix', {
  skip: noGenerated,
}, async () => {
  const opened = await openPath(join(generated, 'bert-base/model.torchscript.onnx'));
  const options = { rank: 8, method: 'whitened', include: ['*.layer.1.*.query', '*.layer.1.output.dense'] };
  const { plan, calibration } = await planned(opened, 'factorize', options, opened, ['a b']);
  const said = plan.skipped.filter(({ reason }) => /the text has \{tokens\} tokens .* damped by \{damping\}/.test(reason.text));
  assert.deepEqual(
    said.map(({ target }) => target),
    ['encoder.layer.1.attention.self.query', 'encoder.layer.1.output.dense'],
  );
  assert.ok(said.every(({ reason }) => Number(reason.args?.damping) > 0 && Number(reason.args?.tokens) === calibration.tokens));
  await calibration.close();
  await opened.close();
});

test('NaN in what a matrix reads on the text is an error that names the matrix', { skip: noGenerated }, async () => {
  const opened = await openPath(join(generated, 'bert-base/model.torchscript.onnx'));
  const target = opened.anatomy.layers[1]!.value;
  const wrong = new Float32Array(target.out * target.in).fill(Number.NaN, 5, 6);
  const weight = held('weight', 'fp32', target.weight.shape, wrong);
  const body = await apply(opened, { edits: [{ kind: 'replace', target, weight }], skipped: [] });
  const options = { rank: 8, method: 'whitened', include: ['*.layer.1.attention.output.dense'] };
  await assert.rejects(
    planned(opened, 'factorize', options, body),
    /encoder\.layer\.1\.attention\.output\.dense .*NaN or infinity/,
  );
  await opened.close();
});

test('a table factored by token counts is nearer on the rows that the text has, and its norm is refitted', {
  skip: noGenerated,
}, async () => {
  const opened = await openPath(join(generated, 'bert-base/model.torchscript.onnx'));
  const { plan, calibration } = await planned(opened, 'factorize-embeddings', { rank: 10, method: 'weighted' });
  const plain = await planOf(opened, { rank: 10 }, 'factorize-embeddings');
  assert.deepEqual(
    plan.edits.map(({ kind }) => kind),
    ['factor', 'replace'],
  );
  const [table] = opened.anatomy.tables;
  const original = await readFloats(table!.weight);
  const seen = new Set(calibration.ids.flat());
  const error = async ({ edits }: Plan) => {
    const { first, second } = edits[0] as FactorEdit;
    const [projection, narrow] = [await readFloats(first), await readFloats(second)];
    let sum = 0;
    for (const v of seen)
      for (let h = 0; h < table!.width; h++) {
        let value = original[v * table!.width + h]!;
        for (let r = 0; r < 10; r++) value -= narrow[v * 10 + r]! * projection[h * 10 + r]!;
        sum += value * value;
      }
    return sum;
  };
  assert.ok((await error(plan)) < (await error(plain)));
  await calibration.close();
  await opened.close();
});

test('methods that look at activations say so where there is no text', { skip: noGenerated }, async () => {
  const source = await openSource(join(generated, 'bert-base/model.safetensors'));
  await assert.rejects(planOf(source.body, { ratio: 0.5, method: 'whitened' }, 'factorize'), /there is no text/);
  await assert.rejects(planOf(source.body, { rank: 8, method: 'weighted' }, 'factorize-embeddings'), /there is no text/);
  await source.close();
});

for (const name of ['albert-base/model.torchscript.onnx', 'albert-base/model.safetensors'])
  test(`${name}: a matrix that several layers share is factored for what all of them read, and moves the vectors less than by weights alone`, {
    skip: noGenerated,
  }, async () => {
    const opened = await openPath(join(generated, name));
    const { plan, calibration } = await planned(opened, 'factorize', { ratio: 0.6, method: 'whitened' });
    try {
      const { pooled } = await calibration.vectors([]);
      const moved = async ({ edits }: Plan) => {
        const after = await calibration.vectors(edits);
        return after.pooled.reduce((sum, value, i) => sum + (value - pooled[i]!) ** 2, 0);
      };
      const plain = await planOf(opened, { ratio: 0.6 }, 'factorize');
      const count = (it: Plan) => it.edits.filter(({ kind }) => kind === 'factor').length;
      assert.equal(count(plan), matricesIn(opened.anatomy.layers[0]!).length);
      assert.equal(count(plan), count(plain));
      const [near, far] = [await moved(plan), await moved(plain)];
      assert.ok(near < 0.8 * far, `${near} of ${far}`);
    } finally {
      await calibration.close();
      await opened.close();
    }
  });
