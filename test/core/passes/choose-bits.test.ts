import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Calibration, TextVectors } from '../../../src/core/calibration/calibration.ts';
import type { Edit, PassContext } from '../../../src/core/passes/pass.ts';
import { chooseBits, type PlanOf } from '../../../src/core/passes/quantize/choose-bits.ts';
import { exactKnapsack, knapsack } from '../../../src/core/passes/quantize/knapsack.ts';
import { apply } from '../../../src/core/rewrite/apply.ts';
import { openCalibration } from '../../../src/core/session/calibrate.ts';
import { openPath } from '../../../src/core/session/open.ts';
import { generated, noGenerated, planOf, writeToMemory } from './fixtures.ts';

test('the knapsack costs as little as any way within the budget, and as any way that takes as much, by trying all of them', () => {
  const bytes = [20, 30, 40, 80];
  const items = [0, 1, 2, 3].map(item =>
    bytes.map((size, i) => ({ bytes: size, cost: ((item * 7 + 3) % 5) / (i + 1) ** (1 + item / 3) })),
  );
  const of = (choices: readonly number[], key: 'bytes' | 'cost') =>
    choices.reduce((sum, at, item) => sum + items[item]![at]![key], 0);
  const all = Array.from({ length: 256 }, (_, n) => [n & 3, (n >> 2) & 3, (n >> 4) & 3, (n >> 6) & 3]);
  for (const budget of [80, 130, 200, 310, 400]) {
    const chosen = knapsack(items, budget)!;
    assert.ok(chosen.bytes <= budget);
    assert.deepEqual([of(chosen.choices, 'bytes'), of(chosen.choices, 'cost')], [chosen.bytes, chosen.cost]);
    const least = Math.min(...all.filter(it => of(it, 'bytes') <= budget).map(it => of(it, 'cost')));
    assert.ok(Math.abs(chosen.cost - least) < 1e-12);
    const exact = exactKnapsack(items, chosen.bytes)!;
    const same = Math.min(...all.filter(it => of(it, 'bytes') === chosen.bytes).map(it => of(it, 'cost')));
    assert.equal(exact.bytes, chosen.bytes);
    assert.ok(Math.abs(exact.cost - same) < 1e-12);
  }
  assert.deepEqual([knapsack(items, 79), exactKnapsack(items, 85)], [undefined, undefined]);
});

/** A model whose vectors turn by an angle for each edit of a layer: `harm` times what its width is worth. */
function turning(harm: readonly number[]): Calibration<Edit> {
  const vectors = async (edits: readonly Edit[]): Promise<TextVectors> => {
    const turn = edits.reduce((sum, edit) => {
      if (edit.kind !== 'store') return sum;
      return sum + (harm[Number(/layer\.(\d)/.exec(edit.target.id)![1])]! * 4 ** -edit.bits) / 8;
    }, 0);
    return { pooled: Float32Array.of(Math.cos(turn), Math.sin(turn)), width: 2, logits: undefined, classes: 0 };
  };
  return { vectors } as unknown as Calibration<Edit>;
}

test('the layer that does more harm gets bits of the other, in the bytes of even bits; tables give theirs up before layers do', {
  skip: noGenerated,
}, async () => {
  // Rows fill words at every width: bits go from one layer to another without a byte more.
  const opened = await openPath(join(generated, 'roberta-base/model.safetensors'));
  try {
    const context: PassContext = {
      model: opened.model,
      format: 'safetensors',
      calibration: async () => turning([0.1, 10]),
    };
    const plans = new Map<string, Awaited<ReturnType<typeof planOf>>>();
    const shape = { scheme: 'mixed', block_size: 16, symmetric: true };
    for (const bits of [2, 4, 6])
      for (const embedding_bits of [4, 8])
        plans.set(`${bits} ${embedding_bits}`, await planOf(opened, { ...shape, bits, embedding_bits }));
    const widths = { layers: [2, 4, 6], tables: [4] };
    const { model } = await apply(opened, plans.get('4 4')!);
    const budget = [...(await writeToMemory(model)).values()][0]!.length + 3_500;
    const planWith: PlanOf = ([bits], tables) => plans.get(`${bits} ${tables}`)!;
    const chosen = await chooseBits(opened.anatomy, context, widths, budget, planWith);
    assert.deepEqual(chosen.layers, [2, 6]);
    // Without text as many bits, but nobody knows whose.
    const guess = await chooseBits(opened.anatomy, { ...context, dryRun: true }, widths, budget, planWith);
    const sum = (bits: readonly number[]) => bits.reduce((a, b) => a + b);
    assert.equal(sum(guess.layers), sum(chosen.layers));
    // With room for it tables have 8 bits; where it is short they give theirs up before layers do.
    const both = { ...widths, tables: [8, 4] };
    assert.equal((await chooseBits(opened.anatomy, { ...context, dryRun: true }, both, 1e9, planWith)).tables, 8);
    assert.equal((await chooseBits(opened.anatomy, { ...context, dryRun: true }, both, budget, planWith)).tables, 4);
    await assert.rejects(chooseBits(opened.anatomy, context, both, 1000, planWith), /the smallest file/);
  } finally {
    await opened.close();
  }
});

const texts = Array.from({ length: 24 }, (_, i) =>
  'the cat sees a red house and two dogs run'.split(' ').slice(i % 5, 3 + (i % 6)),
)
  .filter(words => words.length > 0)
  .map((words, i) => `${words.join(' ')} ${'abcdefgh'[i % 8]}`);

for (const file of ['model.safetensors', 'model.torchscript.onnx'])
  test(`${file}: a file for a budget is no larger, as large as the dry run said, and uses most of it`, {
    skip: noGenerated,
  }, async () => {
    const opened = await openPath(join(generated, 'bert-base', file));
    const calibration = await openCalibration(opened, opened, texts);
    try {
      const shape = { scheme: 'mixed', block_size: 16, embedding_bits: 4, symmetric: true };
      const sizeOf = async (plan: Awaited<ReturnType<typeof planOf>>) =>
        [...(await writeToMemory((await apply(opened, plan)).model)).values()][0]!.length;
      const even = await sizeOf(await planOf(opened, { ...shape, bits: 4 }));
      const budget = Math.ceil(even / 1000 + 30) / 1000;
      const planned = (dryRun: boolean) =>
        planOf(opened, { ...shape, budget }, 'quantize', dryRun, { calibration: async () => calibration, sizeOf });
      const [said, made] = [await planned(true), await planned(false)];
      assert.ok(made.notes!.some(({ text }) => text.startsWith('Bits by layer')));
      const size = await sizeOf(made);
      assert.equal(size, await sizeOf(said));
      assert.ok(size <= budget * 1e6, `${size} and ${budget} MB`);
      assert.ok(size > 0.8 * even, `${size} and ${even}`);
    } finally {
      await calibration.close();
      await opened.close();
    }
  });
