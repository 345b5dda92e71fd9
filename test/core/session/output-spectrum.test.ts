import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { matricesIn } from '../../../src/core/anatomy/anatomy.ts';
import { HeadroomError } from '../../../src/core/errors.ts';
import { floatsOf } from '../../../src/core/kernels/floats.ts';
import type { FactorEdit } from '../../../src/core/passes/pass.ts';
import { parseRecipe } from '../../../src/core/passes/recipe.ts';
import { passes } from '../../../src/core/passes/registry.ts';
import { openCalibration } from '../../../src/core/session/calibrate.ts';
import { openPath } from '../../../src/core/session/open.ts';
import { createSession } from '../../../src/core/session/session.ts';
import { generated, noGenerated, shared } from '../passes/fixtures.ts';

const session = createSession();
const texts = [
  'A man is playing a guitar on the street.',
  'The cat sat on the mat and looked out of the window.',
  'Two dogs run across a field of snow.',
  'Stocks fell sharply after the report.',
  'She reads the letter twice.',
  'It rained all night, and the river rose.',
];
const graph = join(generated, 'bert-base/model.torchscript.onnx');
const minilm = join(shared, 'models/minilm');

// numpy 2's singular values of what transformers' linears give for these texts, about their mean: the root of the tail's share.
const truths: readonly (readonly [string, readonly number[]])[] = [
  ['encoder.layer.0.attention.self.query', [0.924737, 0.692752, 0.420797, 0.203582]],
  ['encoder.layer.1.intermediate.dense', [0.821382, 0.64617, 0.395389, 0.222703]],
];
const ranks = [1, 4, 16, 32];

test('what a rank loses of the outputs is what numpy finds in the outputs of transformers: 1e-4', {
  skip: existsSync(minilm) ? false : 'skipped: no minilm',
}, async () => {
  for (const [id, expected] of truths) {
    const { errors } = await session.outputSpectrum(minilm, id, { texts });
    assert.equal(errors.length, 384);
    for (const [at, rank] of ranks.entries())
      assert.ok(
        Math.abs(errors[rank - 1]! - expected[at]!) < 1e-4,
        `${id}, rank ${rank}: ${errors[rank - 1]} is not ${expected[at]}`,
      );
  }
});

for (const id of ['encoder.layer.0.attention.self.query', 'encoder.layer.0.attention.self.value'])
  test(`${id}: factorize on the same text loses what is foretold, within 2 %, and no less`, { skip: noGenerated }, async () => {
    const { errors } = await session.outputSpectrum(graph, id, { texts });
    assert.ok(
      errors.every((error, at) => at === 0 || error <= errors[at - 1]! + 1e-12),
      'falls',
    );
    assert.equal(errors.at(-1), 0);
    for (const rank of [1, 4, 8]) {
      const lost = await lostBy(id, rank);
      assert.ok(lost > errors[rank - 1]! * (1 - 1e-3), `rank ${rank}: ${lost} is less than the least, ${errors[rank - 1]}`);
      assert.ok(lost < errors[rank - 1]! * 1.02, `rank ${rank}: ${lost} is more than ${errors[rank - 1]}`);
    }
  });

/** Share of the outputs' energy about their mean that factorize's matrices lose, its root. */
async function lostBy(id: string, rank: number): Promise<number> {
  const opened = await openPath(graph);
  const calibration = await openCalibration(opened, opened, texts);
  try {
    const [step] = parseRecipe({
      version: 1,
      steps: [{ pass: 'factorize', options: { rank, method: 'whitened', include: [id] } }],
    }).steps;
    const plan = await passes
      .find(pass => pass.id === 'factorize')!
      .plan(opened.anatomy, step!.options as never, { ...opened, format: 'onnx', calibration: async () => calibration });
    const edit = plan.edits.find((each): each is FactorEdit => each.kind === 'factor')!;
    const linear = opened.anatomy.layers.flatMap(matricesIn).find(each => each.id === id)!;
    const { in: width, out } = linear;
    const first_RI = await floatsOf(edit.first, 0, rank * width);
    const second_OR = await floatsOf(edit.second, 0, out * rank);
    const stored = await floatsOf(linear.weight, 0, out * width);
    const weight = (o: number, i: number): number => stored[linear.transposed ? i * out + o : o * width + i]!;
    const walk = await calibration.walk();
    let inputs: number[] = [];
    await walk.observe('original', [`${id}:in`], [], batch => {
      inputs = [...inputs, ...batch.get(`${id}:in`)];
    });
    const tokens = inputs.length / width;
    const mean = Array.from({ length: width }, (_, i) => {
      let sum = 0;
      for (let t = 0; t < tokens; t++) sum += inputs[t * width + i]!;
      return sum / tokens;
    });
    let [all, lost] = [0, 0];
    for (let t = 0; t < tokens; t++)
      for (let o = 0; o < out; o++) {
        let [whole, thin] = [0, 0];
        for (let i = 0; i < width; i++) whole += weight(o, i) * (inputs[t * width + i]! - mean[i]!);
        for (let r = 0; r < rank; r++)
          for (let i = 0; i < width; i++)
            thin += second_OR[o * rank + r]! * first_RI[r * width + i]! * (inputs[t * width + i]! - mean[i]!);
        all += whole ** 2;
        lost += (whole - thin) ** 2;
      }
    return Math.sqrt(lost / all);
  } finally {
    await calibration.close();
    await opened.close();
  }
}

test('more outputs than inputs, and none of a layer: the full rank is the smaller side, and the pooler is refused by name', {
  skip: noGenerated,
}, async () => {
  const { errors, tokens, texts: count } = await session.outputSpectrum(graph, 'encoder.layer.1.intermediate.dense', { texts });
  const opened = await openPath(graph);
  assert.equal(errors.length, opened.anatomy.hidden);
  await opened.close();
  assert.deepEqual([count, tokens > 20], [texts.length, true]);
  const refused = (error: unknown) =>
    error instanceof HeadroomError && error.code === 'unsupported' && /pooler\.dense/.test(error.message);
  await assert.rejects(session.outputSpectrum(graph, 'pooler.dense', { texts }), refused);
  const signal = AbortSignal.abort();
  await assert.rejects(session.outputSpectrum(graph, 'encoder.layer.0.output.dense', { texts }, { signal }), {
    code: 'cancelled',
  });
});
