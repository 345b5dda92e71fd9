import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileFolder } from '../../../../src/core/bytes/folder.ts';
import { HeadroomError } from '../../../../src/core/errors.ts';
import { alike } from '../../../../src/core/passes/prune/choose/gradient.ts';
import { slopeFor } from '../../../../src/core/passes/prune/choose/slope.ts';
import { pruneNeurons } from '../../../../src/core/passes/prune-neurons.ts';
import { parseRecipe } from '../../../../src/core/passes/recipe.ts';
import { openLabelled } from '../../../../src/core/session/labelled.ts';
import { contextOf, skip, subject, texts } from './generated.ts';

const vectors = (pooled: number[], logits?: number[]) => ({
  pooled: Float32Array.from(pooled),
  width: 2,
  logits: logits && Float32Array.from(logits),
  classes: logits ? 2 : 0,
});

test('slopes are those of the cross-entropy of the labels, to 1e-6: with the other label, another', () => {
  const [less, more] = [vectors([0, 0], [1, 0]), vectors([0, 0], [1.2, 0])];
  const entropy = (logits: readonly number[], label: number) =>
    Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0)) - logits[label]!;
  for (const label of [0, 1]) {
    const slope = slopeFor(less, { kind: 'classes', classes: [label] }, 0.1)(less, more);
    const expected = Math.abs(entropy([1.2, 0], label) - entropy([1, 0], label)) / 0.2;
    assert.ok(Math.abs(slope - expected) < 1e-6, `${slope} is not ${expected}`);
  }
  // Without labels what the model says is right.
  const own = slopeFor(less, undefined, 0.1)(less, more);
  assert.ok(Math.abs(own - slopeFor(less, { kind: 'classes', classes: [0] }, 0.1)(less, more)) < 1e-12);
});

test('scores of pairs are held against the cosine of their texts, to 1e-6', () => {
  const [less, more] = [vectors([1, 0, 0, 1]), vectors([1, 0, 1, 1])];
  const slope = slopeFor(less, { kind: 'scores', scores: [0.5] }, 0.1)(less, more);
  assert.ok(Math.abs(slope - Math.abs((Math.SQRT1_2 - 0.5) ** 2 - 0.25) / 0.2) < 1e-6);
});

test('each unit is in one group, beside those that add about as much, and the shares of a group are 1 together', () => {
  const added = Array.from({ length: 37 }, (_, unit) => (unit * 13) % 37);
  const groups = alike(added, 5);
  assert.deepEqual(
    groups.flatMap(({ units }) => units).map(unit => added[unit]),
    Array.from({ length: 37 }, (_, rank) => rank),
  );
  for (const { shares } of groups) assert.ok(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-12);
  assert.deepEqual(alike([0, 0], 1), [{ units: [0, 1], shares: [0.5, 0.5] }]);
});

test('neurons go by gradients too, told against labels where there are any; a task without classes or scores is refused', {
  skip,
}, async () => {
  const found = await subject('bert-base/model.torchscript.onnx');
  const { opened } = found;
  const folder = mkdtempSync(join(tmpdir(), 'headroom-labels-'));
  const opening = (task: string) => openLabelled(opened, opened, task, 16, fileFolder(opened.folder));
  try {
    const [pairs, plain] = [join(folder, 'pairs.csv'), join(folder, 'plain.txt')];
    writeFileSync(
      pairs,
      texts
        .slice(1)
        .map((text, i) => `${text},${texts[i]},${i % 6}`)
        .join('\n'),
    );
    writeFileSync(plain, texts.join('\n'));
    await assert.rejects(
      opening(`text:${plain}`),
      (error: unknown) => error instanceof HeadroomError && error.code === 'unsupported',
    );
    const opened16 = await opening(`stsb:${pairs}`);
    try {
      assert.equal(opened16.calibration.texts, 32);
      assert.ok(opened16.labels.kind === 'scores' && Math.max(...opened16.labels.scores) <= 1);
      const plans = [];
      for (const labels of ['', `stsb:${pairs}`]) {
        const given = { fraction: 0.5, by: 'gradient', repair: 'none', labels };
        const [step] = parseRecipe({ version: 1, steps: [{ pass: 'prune-neurons', options: given }] }).steps;
        const context = { ...contextOf(found), labelled: async () => opened16 };
        plans.push(await pruneNeurons.plan(opened.anatomy, step!.options as never, context));
      }
      for (const { edits } of plans)
        assert.deepEqual(
          edits.map(edit => edit.kind === 'remove-neurons' && edit.neurons.length),
          opened.anatomy.layers.map(({ down }) => Math.round(down.in / 2)),
        );
      assert.notDeepEqual(plans[0]!.edits, plans[1]!.edits);
    } finally {
      await opened16.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
