import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { HeadroomError } from '../../../src/core/errors.ts';
import { createSession } from '../../../src/core/session/session.ts';
import { generated, noGenerated } from '../passes/fixtures.ts';

const session = createSession();
const texts = ['a b c', 'd', 'the cat sat on the mat', 'x y z w', 'one two'];
const graph = join(generated, 'bert-base/model.torchscript.onnx');
const folder = mkdtempSync(join(tmpdir(), 'headroom-scores-'));
after(() => rmSync(folder, { recursive: true, force: true }));

for (const [pass, by, cut] of [
  ['prune-heads', 'activation', 'remove'],
  ['prune-neurons', 'magnitude', 'remove'],
  ['prune-layers', 'influence', 'layers'],
] as const)
  test(`${pass}: the loss is the drift of the file without the lowest by ${by}, as evaluate measures it, to 1e-6`, {
    skip: noGenerated,
  }, async () => {
    const found = await session.scores(graph, { pass, by, texts });
    assert.equal(found.texts, texts.length);
    const units = found.layers.flatMap(({ layer, scores }) => scores.map((score, unit) => ({ layer, unit, score })));
    const { fraction, drift } = found.loss!;
    const place = Math.floor(fraction.length / 2);
    const count = Math.round(fraction[place]! * units.length);
    const left = new Map(found.layers.map(({ layer, scores }) => [layer, scores.length]));
    const gone: typeof units = [];
    for (const each of units.sort((a, b) => a.score - b.score || a.layer - b.layer || a.unit - b.unit)) {
      if (gone.length === count) break;
      if (cut === 'remove' && left.get(each.layer) === 1) continue;
      left.set(each.layer, left.get(each.layer)! - 1);
      gone.push(each);
    }
    const remove =
      cut === 'layers'
        ? gone.map(({ layer }) => layer)
        : Object.fromEntries([...left.keys()].map(at => [at, gone.filter(({ layer }) => layer === at).map(({ unit }) => unit)]));
    const out = join(folder, pass, 'model.onnx');
    const recipe = { version: 1 as const, steps: [{ pass, options: { remove, repair: 'none' } }] };
    await session.compress({ path: graph, recipe, out });
    const { drift: measured } = await session.evaluate(out, { texts, against: graph });
    assert.ok(
      Math.abs(drift[place]! - (1 - measured!.cosineMean!)) < 1e-6,
      `${drift[place]} is not ${1 - measured!.cosineMean!}`,
    );
  });

test('of neurons the loss is told too for the same share of every layer', { skip: noGenerated }, async () => {
  const { evenLoss, loss } = await session.scores(graph, { pass: 'prune-neurons', by: 'activation', texts });
  assert.deepEqual(evenLoss!.fraction, loss!.fraction);
  for (const drift of evenLoss!.drift) assert.ok(drift > 0 && drift < 2);
});

test('without text there are scores by magnitude and no loss, and a score that takes text says so', {
  skip: noGenerated,
}, async () => {
  const found = await session.scores(graph, { pass: 'prune-heads', by: 'magnitude' });
  assert.equal(found.texts, 0);
  assert.equal(found.loss, undefined);
  const measures = await session.headMeasures(graph);
  for (const { layer, head, norm } of measures)
    assert.ok(Math.abs(found.layers[layer]!.scores[head]! / norm ** 2 - 1) < 1e-5, `layer ${layer}, head ${head}`);
  await assert.rejects(session.scores(graph, { pass: 'prune-heads', by: 'activation' }), HeadroomError);
});

test('a score that the pass does not have is refused with those that it has', { skip: noGenerated }, () =>
  assert.rejects(session.scores(graph, { pass: 'prune-layers', by: 'magnitude' }), {
    message: /prune-layers is not scored by “magnitude”\. There is: position, influence, agreement\./,
  }),
);

test('it can be cancelled', { skip: noGenerated }, () =>
  assert.rejects(session.scores(graph, { pass: 'prune-heads', by: 'gradient', texts }, { signal: AbortSignal.abort() }), {
    code: 'cancelled',
  }),
);
