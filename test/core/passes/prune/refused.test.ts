import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Anatomy, Layer } from '../../../../src/core/anatomy/anatomy.ts';
import { HeadroomError, say } from '../../../../src/core/errors.ts';
import type { Plan } from '../../../../src/core/passes/pass.ts';
import { headLayers, neuronLayers } from '../../../../src/core/passes/prune/prunable.ts';
import { parseRecipe } from '../../../../src/core/passes/recipe.ts';
import { passes } from '../../../../src/core/passes/registry.ts';
import { contextOf, skip, subject } from './generated.ts';

async function planned(name: string, pass: string, options: Readonly<Record<string, unknown>>): Promise<Plan> {
  const found = await subject(name);
  const [step] = parseRecipe({ version: 1, steps: [{ pass, options }] }).steps;
  const { anatomy } = found.opened;
  return passes.find(({ id }) => id === pass)!.plan(anatomy, step!.options as never, contextOf(found));
}

const plain = 'bert-base/model.torchscript.onnx';
const refused: readonly (readonly [string, string, Readonly<Record<string, unknown>>, RegExp])[] = [
  ['a layer that is not there', 'prune-heads', { remove: { 9: [0] } }, /There is no layer 9: the model has \d+, counted from 0/],
  ['a head that is not there', 'prune-heads', { remove: { 0: [99] } }, /Layer 0 has no unit 99: it has \d+, counted from 0/],
  ['a neuron that is not there', 'prune-neurons', { remove: { 1: [999] } }, /Layer 1 has no unit 999: it has 80, counted from 0/],
  [
    'a neuron to keep that is not there',
    'prune-neurons',
    { keep: { 1: [999] } },
    /Layer 1 has no unit 999: it has 80, counted from 0/,
  ],
  ['a layer to remove that is not there', 'prune-layers', { remove: [7] }, /There is no layer 7: the model has \d+/],
  ['a layer to keep that is not there', 'prune-layers', { keep: [7] }, /There is no layer 7/],
  ['nothing said', 'prune-heads', {}, /What to remove is not said: give remove or fraction/],
  ['a list and a share', 'prune-neurons', { remove: { 0: [1] }, fraction: 0.5 }, /Give remove or fraction, not both/],
];
for (const [what, pass, options, expected] of refused)
  test(`${what} is refused with what there is`, { skip }, async () => {
    await assert.rejects(
      planned(plain, pass, options),
      (error: unknown) => error instanceof HeadroomError && error.code === 'bad-recipe' && expected.test(error.message),
    );
  });

test('the last head, the last neuron and the last layer stay: who asks for them is told what to do', { skip }, async () => {
  const { layers } = (await subject(plain)).opened.anatomy;
  const all = (count: number) => Array.from({ length: count }, (_, unit) => unit);
  const last = (pass: string, options: Readonly<Record<string, unknown>>, expected: RegExp) =>
    assert.rejects(planned(plain, pass, options), expected);
  await last(
    'prune-heads',
    { remove: { 1: all(layers[1]!.heads) } },
    /Layer 1 would lose all of its \d+; one at least must stay/,
  );
  await last('prune-neurons', { remove: { 0: all(layers[0]!.down.in) } }, /Layer 0 would lose all of its \d+/);
  await last('prune-to-budget', { heads: { 0: all(layers[0]!.heads) } }, /Layer 0 would lose all of its \d+/);
  await last('prune-layers', { remove: all(layers.length) }, /All \d+ layers would go; one at least must stay/);
  await last('prune-layers', { count: layers.length }, /All \d+ layers would go/);
});

test('quantized weights are left alone, and the reason says to prune first', { skip }, async () => {
  for (const name of ['bert-base/model.int8.onnx', 'bert-base/model.qdq.onnx'])
    for (const [pass, options] of [
      ['prune-heads', { fraction: 0.5 }],
      ['prune-neurons', { fraction: 0.5 }],
      ['prune-to-budget', { keep: 0.5 }],
    ] as const) {
      const { edits, skipped } = await planned(name, pass, options);
      assert.deepEqual(edits, [], `${name} ${pass}`);
      assert.ok(skipped.length > 0);
      for (const { reason } of skipped) assert.match(say(reason), /quantized\. Prune first, then quantize/);
    }
});

test('forms that do not allow it say why: shared relative positions, convolutions, parts for each head, factored matrices', {
  skip,
}, async () => {
  const { anatomy } = (await subject(plain)).opened;
  const weight = anatomy.layers[0]!.up.weight;
  const table = { id: 'encoder.relative_attention_bias', part: 'layer', tensors: [['weight', weight]] } as const;
  const withLayer = (change: (layer: Layer) => Partial<Layer>): Anatomy => ({
    ...anatomy,
    layers: anatomy.layers.map(layer => ({ ...layer, ...change(layer) })),
  });
  const reasons = ({ skipped }: ReturnType<typeof headLayers>) => skipped.map(({ reason }) => say(reason));
  const count = anatomy.layers.length;
  const all = (found: readonly string[], expected: RegExp) => {
    assert.equal(found.length, count);
    for (const reason of found) assert.match(reason, expected);
  };
  all(reasons(headLayers({ ...anatomy, encoderExtra: [table] })), /a table with a column for each head/);
  const convolved = withLayer(({ up, query }) => ({
    up: { ...up, form: 'convolution' },
    query: { ...query, form: 'convolution' },
  }));
  all(reasons(headLayers(convolved)), /stored as a convolution, which is not pruned/);
  all(reasons(neuronLayers(convolved)), /stored as a convolution, which is not pruned/);
  const beside = { id: 'attention.distance_embedding', part: 'attention', tensors: [['weight', weight]] } as const;
  all(reasons(headLayers(withLayer(() => ({ extra: [beside] })))), /a part for each head that is not understood/);
  const factored = withLayer(({ down }) => ({ down: { ...down, form: 'factored' } }));
  all(reasons(neuronLayers(factored)), /factored\. Prune first, then factorize/);
  all(reasons(headLayers(withLayer(() => ({ heads: 0, headDim: 0 })))), /How many heads layer \d has is not known/);
});
