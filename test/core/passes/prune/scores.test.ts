import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeadroomError } from '../../../../src/core/errors.ts';
import { fitAt } from '../../../../src/core/passes/prune/fit-at.ts';
import { ridge } from '../../../../src/core/passes/prune/repair/ridge.ts';
import { pruneScores, type ScoredPass, scoresOf } from '../../../../src/core/passes/prune/scores.ts';
import { headSite, keptInputs } from '../../../../src/core/passes/prune/sites.ts';
import { pruneHeads } from '../../../../src/core/passes/prune-heads.ts';
import { contextOf, skip, subject } from './generated.ts';

const name = 'bert-base/model.torchscript.onnx';

for (const pass of Object.keys(scoresOf) as ScoredPass[])
  test(`${pass}: every score has a number for each unit, none negative, and says what it means`, { skip }, async () => {
    const found = await subject(name);
    const { layers } = found.opened.anatomy;
    for (const by of scoresOf[pass]) {
      const scores = await pruneScores(found.opened.anatomy, { pass, by }, contextOf(found));
      const units = layers.map(({ heads, down }) => (pass === 'prune-heads' ? heads : pass === 'prune-neurons' ? down.in : 1));
      assert.deepEqual(
        scores.layers.map(({ layer, scores: each }) => [layer, each.length]),
        units.map((count, layer) => [layer, count]),
      );
      for (const score of scores.layers.flatMap(({ scores: each }) => each)) assert.ok(score >= 0 && score < Infinity, by);
      assert.ok(scores.meaning.text.length > 0);
      assert.equal(scores.by, by);
    }
  });

test('the heads with the lowest scores are those that prune-heads removes', { skip }, async () => {
  const found = await subject(name);
  const { anatomy } = found.opened;
  for (const by of ['magnitude', 'activation', 'gradient'] as const) {
    const { layers } = await pruneScores(anatomy, { pass: 'prune-heads', by }, contextOf(found));
    const [least] = layers
      .flatMap(({ layer, scores }) => scores.map((score, head) => ({ layer, head, score })))
      .sort((a, b) => a.score - b.score);
    const heads = layers.flatMap(({ scores }) => scores).length;
    const { edits } = await pruneHeads.plan(
      anatomy,
      { remove: {}, fraction: 1 / heads, by, labels: '', repair: 'none', sentences: null, damping: null },
      contextOf(found),
    );
    assert.deepEqual(edits, [{ kind: 'remove-heads', layer: least!.layer, heads: [least!.head] }], by);
  }
});

test('by reconstruction, the sum of the lowest scores of a layer is what the refit without them loses, to 1e-4', {
  skip,
}, async () => {
  const found = await subject(name);
  const { layers } = await pruneScores(
    found.opened.anatomy,
    { pass: 'prune-heads', by: 'reconstruction', damping: 1e-6 },
    contextOf(found),
  );
  const site = headSite(found.opened.anatomy.layers[0]!);
  const fit = await fitAt(found.calibration, await found.calibration.walk(), site, false);
  const { scores } = layers[0]!;
  const order = scores.map((_, head) => head).sort((a, b) => scores[a]! - scores[b]!);
  const lost = (removed: readonly number[]): number => {
    const kept = keptInputs(site, removed);
    const { weight_KO } = ridge(fit, kept, 1e-6);
    // trace of the covariance of y - W x: what W gives of y is taken off.
    let explained = 0;
    for (const [k, i] of kept.entries())
      for (let o = 0; o < fit.outputs; o++) explained += weight_KO[k * fit.outputs + o]! * fit.cross_IO[i * fit.outputs + o]!;
    return -explained / fit.scale;
  };
  let sum = 0;
  for (let count = 1; count < order.length; count++) {
    sum += scores[order[count - 1]!]!;
    const expected = lost(order.slice(0, count)) - lost([]);
    assert.ok(Math.abs(sum - expected) <= 1e-4 * Math.max(sum, expected) + 1e-6, `${count}: ${sum} and ${expected}`);
  }
});

test('scores that need text say so where there is none', { skip }, async () => {
  const { opened } = await subject(name);
  const none = { model: opened.model, format: opened.model.format };
  await assert.rejects(
    pruneScores(opened.anatomy, { pass: 'prune-heads', by: 'activation' }, none),
    (error: unknown) => error instanceof HeadroomError && error.code === 'usage',
  );
});
