import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TextVectors } from '../../../../src/core/calibration/calibration.ts';
import { HeadroomError } from '../../../../src/core/errors.ts';
import type { Edit, Plan } from '../../../../src/core/passes/pass.ts';
import { parseRecipe } from '../../../../src/core/passes/recipe.ts';
import { passes } from '../../../../src/core/passes/registry.ts';
import { apply } from '../../../../src/core/rewrite/apply.ts';
import { contextOf, skip, subject } from './generated.ts';

async function planned(name: string, pass: string, options: Readonly<Record<string, unknown>>, more = {}): Promise<Plan> {
  const found = await subject(name);
  const [step] = parseRecipe({ version: 1, steps: [{ pass, options }] }).steps;
  return passes
    .find(({ id }) => id === pass)!
    .plan(found.opened.anatomy, step!.options as never, { ...contextOf(found), ...more });
}

/** Mean over texts of the squared distance of their vectors. */
const distance = (a: TextVectors, b: TextVectors): number =>
  (a.pooled.reduce((sum, value, i) => sum + (value - b.pooled[i]!) ** 2, 0) / a.pooled.length) * a.width;

async function losses(name: string, plans: readonly Plan[]): Promise<number[]> {
  const { calibration } = await subject(name);
  const original = await calibration.vectors([]);
  const found: number[] = [];
  for (const { edits } of plans) found.push(distance(await calibration.vectors(edits), original));
  return found;
}

const models = ['bert-base/model.safetensors', 'bert-base/model.torchscript.onnx', 'bert-base/model.ort-fused.onnx'];
for (const name of models)
  for (const [pass, options] of [
    ['prune-heads', { fraction: 0.5 }],
    ['prune-neurons', { fraction: 0.5 }],
    ['prune-layers', { count: 1 }],
  ] as const)
    test(`${name}: ${pass} of half of them, repaired, loses less than half of what it loses unrepaired`, { skip }, async () => {
      const repaired = await planned(name, pass, options);
      assert.deepEqual(repaired.notes?.[0]?.args?.repair, 'least-squares');
      const cut = repaired.edits.flatMap((edit): Edit[] => {
        if (edit.kind === 'remove-heads') return [{ kind: edit.kind, layer: edit.layer, heads: edit.heads }];
        if (edit.kind === 'remove-neurons') return [{ kind: edit.kind, layer: edit.layer, neurons: edit.neurons }];
        return edit.kind === 'remove-layers' ? [edit] : [];
      });
      const [after, before] = await losses(name, [repaired, { edits: cut, skipped: [] }]);
      assert.ok(after! < 0.5 * before!, `${after} beside ${before}`);
      const { opened } = await subject(name);
      const { anatomy } = await apply(opened, repaired);
      assert.deepEqual(anatomy.unclaimed, []);
    });

test('a person’s list is removed as it stands, and repaired where there is text', { skip }, async () => {
  const name = models[1]!;
  const remove = { 0: [1], 1: [0, 2] };
  const plans = [
    await planned(name, 'prune-heads', { remove, repair: 'none' }),
    await planned(name, 'prune-heads', { remove, repair: 'bias' }),
    await planned(name, 'prune-heads', { remove }),
  ];
  for (const { edits } of plans)
    assert.deepEqual(
      edits.flatMap(edit => (edit.kind === 'remove-heads' ? [[edit.layer, edit.heads]] : [])),
      [
        [0, [1]],
        [1, [0, 2]],
      ],
    );
  const [masked, folded, refitted] = await losses(name, plans);
  assert.ok(refitted! < folded! && folded! < masked!, `${refitted} < ${folded} < ${masked}`);
});

test('every score removes as many heads as were asked for, and leaves each layer one', { skip }, async () => {
  const name = models[0]!;
  const { opened } = await subject(name);
  const heads = opened.anatomy.layers.map(layer => layer.heads);
  const all = heads.reduce((sum, count) => sum + count, 0);
  for (const by of ['magnitude', 'activation', 'gradient', 'reconstruction'])
    for (const fraction of by === 'gradient' ? [0.25] : [0.25, 0.95]) {
      const { edits } = await planned(name, 'prune-heads', { fraction, by, repair: 'none' });
      const gone = edits.flatMap(edit => (edit.kind === 'remove-heads' ? [[edit.layer, edit.heads.length] as const] : []));
      assert.equal(
        gone.reduce((sum, [, count]) => sum + count, 0),
        Math.min(Math.round(all * fraction), all - heads.length),
        `${by} ${fraction}`,
      );
      for (const [layer, count] of gone) assert.ok(count < heads[layer]!, `${by} ${fraction}`);
    }
});

test('the head whose removal moves the vectors least is the one that gradients and removal costs name among the least', {
  skip,
}, async () => {
  const name = models[1]!;
  const { opened } = await subject(name);
  const single = opened.anatomy.layers.flatMap(({ index, heads }) =>
    Array.from({ length: heads }, (_, head): Edit => ({ kind: 'remove-heads', layer: index, heads: [head] })),
  );
  const lost = await losses(
    name,
    single.map(edit => ({ edits: [edit], skipped: [] })),
  );
  const sorted = [...lost].sort((a, b) => a - b);
  for (const by of ['activation', 'gradient', 'reconstruction']) {
    const { edits } = await planned(name, 'prune-heads', { fraction: 1 / single.length, by, repair: 'none' });
    const [found] = await losses(name, [{ edits, skipped: [] }]);
    assert.ok(found! <= sorted[Math.floor(sorted.length / 2)]!, `${by}: ${found} of ${sorted}`);
  }
});

test('layers by agreement are the subset that loses least of all, and influence names another order than none', {
  skip,
}, async () => {
  const name = models[0]!;
  const { opened } = await subject(name);
  const each = opened.anatomy.layers.map(
    ({ index }): Plan => ({ edits: [{ kind: 'remove-layers', layers: [index] }], skipped: [] }),
  );
  assert.ok(each.length > 1);
  const { edits } = await planned(name, 'prune-layers', { count: 1, by: 'influence', repair: 'none' });
  assert.equal(edits.length, 1);
  const agreed = await planned(name, 'prune-layers', { count: 1, by: 'agreement', repair: 'none' });
  const [found, ...others] = await losses(name, [agreed, ...each]);
  // By cosine, and the loss is a distance: at least not the worst.
  assert.ok(found! <= Math.max(...others));
});

test('a dry run asks for no text and says the sizes of the run', { skip }, async () => {
  const name = models[1]!;
  const { opened } = await subject(name);
  const calibration = () => assert.fail('a dry run asked for the text');
  for (const [pass, options] of [
    ['prune-heads', { fraction: 0.5 }],
    ['prune-neurons', { fraction: 0.5 }],
    ['prune-layers', { count: 1 }],
  ] as const) {
    const parameters = async (plan: Plan) =>
      [...(await apply(opened, plan)).model.tensors.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    const dry = await parameters(await planned(name, pass, options, { calibration, dryRun: true }));
    const real = await parameters(await planned(name, pass, options));
    assert.ok(Math.abs(dry - real) <= 0.0005 * real, `${pass}: ${dry} and ${real}`);
  }
});

test('without text magnitude and no repair are what is done, and what needs text says so', { skip }, async () => {
  const none = { calibration: undefined };
  const { notes } = await planned(models[0]!, 'prune-heads', { fraction: 0.5 }, none);
  assert.deepEqual(notes?.[0]?.args, { by: 'magnitude', repair: 'none' });
  const usage = (error: unknown) => error instanceof HeadroomError && error.code === 'usage';
  for (const options of [
    { fraction: 0.5, by: 'reconstruction' },
    { fraction: 0.5, repair: 'least-squares' },
  ])
    await assert.rejects(planned(models[0]!, 'prune-heads', options, none), usage);
  await assert.rejects(planned(models[0]!, 'prune-layers', { count: 1, by: 'influence' }, none), usage);
});

test('a text too short to fit is said to be, with the rank; the fit is held back and loses no more than none', {
  skip,
}, async () => {
  const name = models[1]!;
  const short = { sentences: 3, fraction: 0.25 };
  const { notes, edits } = await planned(name, 'prune-neurons', short);
  assert.match(notes!.at(-1)!.text, /rank/);
  const [repaired, none] = await losses(name, [
    { edits, skipped: [] },
    await planned(name, 'prune-neurons', { ...short, repair: 'none' }),
  ]);
  assert.ok(repaired! <= none!, `${repaired} beside ${none}`);
});

test('layers that share their weights lose the same units, chosen and refitted on what all of them read', { skip }, async () => {
  const name = 'albert-base/model.torchscript.onnx';
  const { edits, notes } = await planned(name, 'prune-neurons', { fraction: 0.5 });
  assert.deepEqual(notes?.[0]?.args, { by: 'reconstruction', repair: 'least-squares' });
  const { opened } = await subject(name);
  const { anatomy } = await apply(opened, { edits, skipped: [] });
  const left = opened.anatomy.layers[0]!.up.out / 2;
  assert.deepEqual(
    anatomy.layers.map(({ up }) => up.out),
    opened.anatomy.layers.map(() => left),
  );
});
