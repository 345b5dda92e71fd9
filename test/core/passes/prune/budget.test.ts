import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Edit, PassContext, Plan } from '../../../../src/core/passes/pass.ts';
import { allocate, evenly, saved } from '../../../../src/core/passes/prune/budget/allocate.ts';
import { through } from '../../../../src/core/passes/prune/budget/curves.ts';
import { driftOf } from '../../../../src/core/passes/prune/budget/drift.ts';
import { alongLine } from '../../../../src/core/passes/prune/budget/latency.ts';
import { pricesOf } from '../../../../src/core/passes/prune/budget/prices.ts';
import { pruneToBudget } from '../../../../src/core/passes/prune-to-budget.ts';
import { parseRecipe } from '../../../../src/core/passes/recipe.ts';
import { apply } from '../../../../src/core/rewrite/apply.ts';
import { sizesOf } from '../../../../src/core/session/compress.ts';
import { contextOf, skip, subject } from './generated.ts';

const choices = [
  { counts: [0, 1, 2], gains: [0, 5, 10], costs: [0, 1, 4] },
  { counts: [0, 1, 2, 3], gains: [0, 3, 6, 9], costs: [0, 2, 3, 20] },
  { counts: [0, 1], gains: [0, 7], costs: [0, 2.5] },
];

test('a budget is spent as the cheapest of all ways that save enough', () => {
  for (let target = 1; target <= 26; target++) {
    let least = Infinity;
    for (let a = 0; a < 3; a++)
      for (let b = 0; b < 4; b++)
        for (let c = 0; c < 2; c++)
          if (saved(choices, [a, b, c]) >= target)
            least = Math.min(least, choices[0]!.costs[a]! + choices[1]!.costs[b]! + choices[2]!.costs[c]!);
    const picked = allocate(choices, target);
    assert.ok(saved(choices, picked) >= target);
    const cost = picked.reduce((sum, k, site) => sum + choices[site]!.costs[k]!, 0);
    assert.ok(cost <= least + 1e-12, `${target}: ${cost} and ${least}`);
  }
  assert.throws(() => allocate(choices, 27), /27 cannot be saved/);
});

test('the same share everywhere saves enough, and not a step more than that takes', () => {
  for (let target = 1; target <= 26; target++) {
    const picked = evenly(choices, [3, 4, 2], target);
    const spare = saved(choices, picked) - target;
    assert.ok(spare >= 0);
    for (const [site, k] of picked.entries())
      if (k > 0) assert.ok(choices[site]!.gains[k]! - choices[site]!.gains[k - 1]! > spare, `${target}: ${picked}`);
  }
});

test('a curve goes through what was measured, follows a power between, and never falls', () => {
  const costs = [1, 2, 4, 8, 16];
  const drift = through(
    [
      { error: 2, drift: 0.02 },
      { error: 8, drift: 0.32 },
    ],
    costs,
  );
  const expected = [0, 0.005, 0.02, 0.08, 0.32, 1.28];
  for (const [count, value] of expected.entries()) assert.ok(Math.abs(drift(count) - value) < 1e-9, `${count}: ${drift(count)}`);
  const falling = through(
    [
      { error: 1, drift: 0.1 },
      { error: 4, drift: 0.05 },
    ],
    costs,
  );
  for (let count = 1; count <= 5; count++) assert.ok(falling(count) >= falling(count - 1));
});

test('drift is the divergence of predictions where there are classes, and what is lost of the cosine where there are none', () => {
  const vectors = (pooled: number[], logits?: number[]) => ({
    pooled: Float32Array.from(pooled),
    width: 2,
    logits: logits && Float32Array.from(logits),
    classes: logits ? 2 : 0,
  });
  assert.ok(Math.abs(driftOf(vectors([1, 0, 0, 1]), vectors([1, 0, 1, 1])) - (1 - (1 + Math.SQRT1_2) / 2)) < 1e-7);
  const [p, q] = [Math.log(3), 0];
  const found = driftOf(vectors([1, 0], [p, 0]), vectors([0, 1], [q, 0]));
  assert.ok(Math.abs(found - (0.75 * Math.log(0.75 / 0.5) + 0.25 * Math.log(0.25 / 0.5))) < 1e-7);
});

test('times lie on straight lines between what was measured, and go on behind the last', () => {
  const points = [
    [0, 0],
    [4, 2],
    [8, 3],
  ] as const;
  assert.deepEqual(
    [0, 2, 4, 6, 8, 12].map(x => alongLine(points, x)),
    [0, 1, 2, 2.5, 3, 4],
  );
});

const options = (given: Readonly<Record<string, unknown>>) =>
  parseRecipe({ version: 1, steps: [{ pass: 'prune-to-budget', options: given }] }).steps[0]!.options as never;

async function planned(name: string, given: Readonly<Record<string, unknown>>, more: Partial<PassContext> = {}): Promise<Plan> {
  const found = await subject(name);
  return pruneToBudget.plan(found.opened.anatomy, options(given), { ...contextOf(found), ...more });
}

const removed = (edits: readonly Edit[]) =>
  edits.flatMap(edit =>
    edit.kind === 'remove-heads'
      ? [[edit.layer, edit.heads]]
      : edit.kind === 'remove-neurons'
        ? [[edit.layer, edit.neurons]]
        : [],
  );

const name = 'bert-base/model.torchscript.onnx';
const keep = 0.6;
const plans = new Map<string, Promise<Plan>>();
const plan = (path: string): Promise<Plan> => {
  if (!plans.has(path)) plans.set(path, planned(path, { keep }));
  return plans.get(path)!;
};

for (const path of [name, 'bert-base/model.safetensors'])
  test(`${path}: the parameters that are said to stay are those of the result, and no more than asked for`, {
    skip,
  }, async () => {
    const { opened } = await subject(path);
    const total = pricesOf(opened.anatomy, 'parameters', 128).total;
    const { edits, notes, skipped } = await plan(path);
    const body = await apply(opened, { edits, skipped });
    const gone = sizesOf(opened.model, opened.anatomy).parameters - sizesOf(body.model, body.anatomy).parameters;
    assert.equal(notes!.at(-1)!.args!.kept, (total - gone).toLocaleString('en-US'));
    assert.ok(total - gone <= keep * total);
    assert.deepEqual(body.anatomy.unclaimed, []);
  });

test('replayed as the exact lists, the plan is the same to the last bit', { skip }, async () => {
  const { edits, exact } = await plan(name);
  const again = await planned(name, exact!);
  assert.deepEqual(removed(again.edits), removed(edits));
  for (const [at, edit] of edits.entries()) {
    const [one, other] = [edit, again.edits[at]!].map(it =>
      it.kind === 'remove-heads' ? it.output : it.kind === 'remove-neurons' ? it.down : it.kind === 'replace' ? it : undefined,
    );
    const { weight } = one!;
    assert.deepEqual(await weight!.bytes(0, weight!.byteLength), await other!.weight!.bytes(0, weight!.byteLength));
  }
});

test('the outputs drift less than with the same share of each layer cut by number', { skip }, async () => {
  const { calibration, opened } = await subject(name);
  const { edits } = await plan(name);
  assert.ok(edits.length > 0);
  const original = await calibration.vectors([]);
  const { layers } = opened.anatomy;
  const half = (count: number) => Array.from({ length: Math.floor(count * 0.5) }, (_, unit) => unit);
  const worse = await planned(name, {
    heads: Object.fromEntries(layers.map(({ index, heads }) => [index, half(heads)])),
    neurons: Object.fromEntries(layers.map(({ index, down }) => [index, half(down.in)])),
    repair: 'none',
  });
  assert.ok(driftOf(original, await calibration.vectors(edits)) < driftOf(original, await calibration.vectors(worse.edits)));
});

test('by latency, what is measured is what was asked for, to 5 %, on a machine whose times are known', { skip }, async () => {
  // 30 % of the time is elsewhere; heads take 20 %, neurons 50 %.
  const { opened } = await subject(name);
  const { layers } = opened.anatomy;
  const all = (of: 'heads' | 'neurons') => layers.reduce((sum, { heads, down }) => sum + (of === 'heads' ? heads : down.in), 0);
  const timeOf = (edits: readonly Edit[]) => {
    const gone = { heads: 0, neurons: 0 };
    for (const edit of edits) {
      if (edit.kind === 'remove-heads') gone.heads += edit.heads.length;
      if (edit.kind === 'remove-neurons') gone.neurons += edit.neurons.length;
    }
    return 10 * (1 - (0.2 * gone.heads) / all('heads') - (0.5 * gone.neurons) / all('neurons'));
  };
  const latency: PassContext['latency'] = async edits => ({ ms: timeOf(edits), originalMs: 10 });
  const { edits, notes } = await planned(name, { keep: 0.75, of: 'latency', sentences: 20 }, { latency });
  assert.ok(Math.abs(timeOf(edits) / 10 - 0.75) <= 0.05, String(timeOf(edits)));
  assert.equal(notes!.at(-1)!.args!.measured, ((100 * timeOf(edits)) / 10).toFixed(0));
});

test('without text it is the same share everywhere, by magnitude; less than what is not heads and neurons cannot stay', {
  skip,
}, async () => {
  const { opened } = await subject(name);
  const without = { calibration: undefined } as never;
  const { edits, notes } = await planned(name, { keep }, without);
  assert.deepEqual(notes?.[0]?.args, { by: 'magnitude', repair: 'none' });
  assert.equal(edits.length, 2 * opened.anatomy.layers.length);
  await assert.rejects(planned(name, { keep: 0.05 }, without), /keep is 0\.05.* at least stays/);
  await assert.rejects(planned(name, {}, without), /give keep or heads/);
  await assert.rejects(planned(name, { keep: 0.5, heads: { 0: [1] } }, without), /keep or heads, not both/);
  await assert.rejects(planned(name, { heads: { 9: [1] } }, without), /There is no layer 9/);
});
