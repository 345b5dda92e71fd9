import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detect } from '../../../../src/core/anatomy/detect.ts';
import type { Edit } from '../../../../src/core/passes/pass.ts';
import { pricesOf } from '../../../../src/core/passes/prune/budget/prices.ts';
import { headSite, neuronSite } from '../../../../src/core/passes/prune/sites.ts';
import { apply } from '../../../../src/core/rewrite/apply.ts';
import { sizesOf } from '../../../../src/core/session/compress.ts';
import { type BertShape, bertTensors, madeModel } from '../../anatomy/made-models.ts';

const base: BertShape = { vocabulary: 30522, hidden: 768, layers: 12, forward: 3072 };
const large: BertShape = { vocabulary: 30522, hidden: 1024, layers: 24, forward: 4096 };

async function made(shape: BertShape) {
  const model = madeModel(bertTensors(shape), {
    model_type: 'bert',
    hidden_size: shape.hidden,
    num_attention_heads: shape.hidden / 64,
  });
  return { model, anatomy: await detect(model) };
}

const first = (count: number): number[] => Array.from({ length: count }, (_, unit) => unit);

test('removed from BERT-base, a head takes 196,800 parameters, a neuron 1,537, a layer 7,087,872', async () => {
  const body = await made(base);
  const without = async (edit: Edit) => {
    const { model, anatomy } = await apply(body, { edits: [edit], skipped: [] });
    return sizesOf(body.model, body.anatomy).parameters - sizesOf(model, anatomy).parameters;
  };
  assert.equal(await without({ kind: 'remove-heads', layer: 3, heads: [5] }), 196_800);
  assert.equal(await without({ kind: 'remove-neurons', layer: 3, neurons: [5] }), 1_537);
  assert.equal(await without({ kind: 'remove-layers', layers: [3] }), 7_087_872);
});

test('a budget counts them the same, and the multiply-adds of a token: 4 x 768 x 64 and the length twice, 2 x 768', async () => {
  const { anatomy } = await made(base);
  const [head, neuron] = [headSite(anatomy.layers[0]!), neuronSite(anatomy.layers[0]!)];
  const parameters = pricesOf(anatomy, 'parameters', 128);
  assert.deepEqual([parameters.unit(head), parameters.unit(neuron), parameters.total], [196_800, 1_537, 12 * 7_087_872]);
  const products = pricesOf(anatomy, 'multiply-adds', 128);
  assert.equal(products.unit(head), 4 * 768 * 64 + 2 * 128 * 64);
  assert.equal(products.unit(neuron), 2 * 768);
  assert.equal(products.total, 12 * (12 * products.unit(head) + 3072 * products.unit(neuron)));
});

/** Attention and feed-forward removed in %, and MB (2^20) of the file, as McCarley et al. (2019) list them for BERT-large. */
const published = [
  [0, 0, 1279],
  [44.3, 0, 1112],
  [0, 48.1, 908],
  [44, 48.1, 740],
  [53.1, 64.9, 576],
  [57.6, 73.7, 492],
] as const;

test('BERT-large has the sizes that McCarley et al. list for what they remove, to 0.4 %', async () => {
  const body = await made(large);
  const [heads, neurons] = [16 * 24, 4096 * 24];
  for (const [attention, forward, megabytes] of published) {
    const edits: Edit[] = [];
    // Spread over the layers; which units does not change a size.
    for (let layer = 0; layer < 24; layer++) {
      const share = (units: number, percent: number) =>
        Math.round((units * percent * (layer + 1)) / 2400) - Math.round((units * percent * layer) / 2400);
      const [gone, narrower] = [share(heads, attention), share(neurons, forward)];
      if (gone > 0) edits.push({ kind: 'remove-heads', layer, heads: first(gone) });
      if (narrower > 0) edits.push({ kind: 'remove-neurons', layer, neurons: first(narrower) });
    }
    const { model, anatomy } = edits.length > 0 ? await apply(body, { edits, skipped: [] }) : body;
    const found = (4 * sizesOf(model, anatomy).parameters) / 2 ** 20;
    assert.ok(Math.abs(found / megabytes - 1) <= 0.004, `${attention} %, ${forward} %: ${found} beside ${megabytes}`);
  }
});
