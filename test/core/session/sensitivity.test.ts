import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import { HeadroomError } from '../../../src/core/errors.ts';
import { matchesGlob } from '../../../src/core/passes/globs.ts';
import { partsOf } from '../../../src/core/report/parts.ts';
import { summarize } from '../../../src/core/report/summary.ts';
import { openPath } from '../../../src/core/session/open.ts';
import { createSession } from '../../../src/core/session/session.ts';
import { generated, noGenerated, plainModels } from '../passes/fixtures.ts';

const session = createSession();
const texts = ['a b c', 'd', 'the cat sat on the mat', 'x y z w', 'one two'];
const graph = join(generated, 'bert-base/model.torchscript.onnx');
const checkpoint = join(generated, 'bert-base/model.safetensors');
const folder = mkdtempSync(join(tmpdir(), 'headroom-sensitivity-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const step = (options: Readonly<Record<string, unknown>> = {}, pass = 'quantize') => ({ pass, options });
const few = { scheme: 'int4', block_size: 16 };

for (const path of [graph, checkpoint])
  test(`${basename(path)}: a part's drift is that of the file with it alone compressed, as evaluate measures it, to 1e-6`, {
    skip: noGenerated,
  }, async () => {
    const options = path === graph ? few : { scheme: 'mixed', bits: 4 };
    const found = await session.sensitivity(path, { step: step(options), parts: 'layers', texts });
    assert.equal(found.texts, texts.length);
    const row = found.rows.find(({ id }) => id === 'encoder.layer.1')!;
    const out = join(folder, `one.${basename(path)}`);
    const recipe = { version: 1 as const, steps: [step({ ...options, include: row.globs })] };
    const { before, after: smaller } = await session.compress({ path, recipe, out, force: true });
    assert.equal(row.bytesBefore - row.bytesAfter, before.byteLength - smaller.byteLength);
    const { drift } = await session.evaluate(out, { texts, against: path });
    assert.ok(row.drift! > 1e-6, `${row.drift} is no drift`);
    assert.ok(Math.abs(row.drift! - (1 - drift!.cosineMean!)) < 1e-6, `${row.drift} is not ${1 - drift!.cosineMean!}`);
  });

test('all parts are listed in the order of the model; parameters and bytes are those of the tree; the whole step has a drift of its own', {
  skip: noGenerated,
}, async () => {
  const { tree } = await session.inspect(graph);
  const encoder = tree.children!.find(({ id }) => id === 'encoder')!;
  const { rows, all } = await session.sensitivity(graph, { step: step(few), parts: 'layers', texts });
  const layers = rows.filter(({ organ }) => organ === 'layer');
  assert.deepEqual(
    layers.map(({ id, title, layer, parameters, bytesBefore }) => ({ id, title, layer, parameters, bytesBefore })),
    encoder.children!.map(({ id, title, parameters, byteLength }, layer) => ({
      ...{ id, title, layer, parameters },
      bytesBefore: byteLength,
    })),
  );
  assert.equal(rows[0]!.id, 'embeddings');
  assert.ok(all.drift > Math.max(...layers.map(({ drift }) => drift!)));
});

test('what include and exclude leave out is not tried, and says so', { skip: noGenerated }, async () => {
  const exclude = ['encoder.layer.0', '*.query'];
  const { rows } = await session.sensitivity(graph, { step: step({ ...few, exclude }), parts: 'matrices', texts });
  const out = rows.filter(({ skipped }) => skipped?.reason === 'Left out by “include” or “exclude”.');
  assert.ok(out.length > 6);
  for (const { id, drift } of rows) {
    const isOut = exclude.some(glob => matchesGlob(id, glob));
    assert.equal(
      out.some(row => row.id === id),
      isOut,
      id,
    );
    if (isOut) assert.equal(drift, null);
  }
});

test('what stands behind the sentence vectors is no part without a cost: it says that they do not see it', {
  skip: noGenerated,
}, async () => {
  const options = { scheme: 'mixed', bits: 4 };
  const { rows } = await session.sensitivity(checkpoint, { step: step(options), parts: 'layers', texts });
  const behind = rows.filter(({ organ }) => organ === 'pooler' || organ === 'head');
  assert.ok(behind.some(({ bytesBefore, bytesAfter }) => bytesAfter < bytesBefore));
  for (const { drift, skipped, bytesBefore, bytesAfter } of behind) {
    assert.equal(drift, null);
    if (bytesAfter < bytesBefore) assert.match(skipped!.reason, /do not see it/);
  }
  assert.ok(rows.every(({ drift }) => drift === null || drift > 0));
});

test('another model can be the measure: a compressed one is as far from it as it is', { skip: noGenerated }, async () => {
  const out = join(folder, 'all.onnx');
  const recipe = { version: 1 as const, steps: [step({ ...few, include: ['encoder.layer.0'] })] };
  await session.compress({ path: graph, recipe, out });
  const { drift } = await session.evaluate(out, { texts, against: graph });
  const { rows } = await session.sensitivity(out, {
    ...{ step: step({ ...few, include: ['encoder.layer.1.attention.self.query'] }), parts: 'layers', texts, against: graph },
  });
  const row = rows.find(({ id }) => id === 'encoder.layer.1')!;
  assert.ok(row.drift! > (1 - drift!.cosineMean!) / 2, `${row.drift} is the drift of the one part alone`);
});

test('a model in half precision runs too', { skip: noGenerated }, async () => {
  const { rows } = await session.sensitivity(graph, { step: step({ scheme: 'fp16' }), parts: 'layers', texts });
  for (const { drift, id } of rows.filter(({ organ }) => organ === 'layer')) assert.ok(drift! < 1e-4, `${id}: ${drift}`);
});

test('a method that misses its text, a pass without parts and a cancel are told as such', { skip: noGenerated }, async () => {
  const code = (wanted: string) => (error: unknown) => error instanceof HeadroomError && error.code === wanted;
  const ask = (given: ReturnType<typeof step>, signal?: AbortSignal) =>
    session.sensitivity(graph, { step: given, parts: 'layers', texts }, { signal });
  await assert.rejects(ask(step({ ...few, rounding: 'gptq' })), code('usage'));
  await assert.rejects(ask(step({ count: 1 }, 'prune-layers')), code('usage'));
  await assert.rejects(ask(step(few), AbortSignal.abort()), code('cancelled'));
});

test('a model without a tokenizer is run on ids drawn by chance, and that is said', { skip: noGenerated }, async () => {
  const alone = join(folder, 'alone');
  mkdirSync(alone);
  copyFileSync(graph, join(alone, 'model.onnx'));
  const ask = (path: string) => session.sensitivity(path, { step: step(few), parts: 'layers', texts });
  assert.match((await ask(alone)).notes[0]!.text, /ids were drawn by chance/);
  assert.deepEqual((await ask(graph)).notes, []);
});

test('progress goes from the whole model through the parts', { skip: noGenerated }, async () => {
  const told: string[] = [];
  let last = 0;
  await session.sensitivity(
    graph,
    { step: step(few), parts: 'organs', texts },
    {
      progress({ fraction = 0, what }) {
        assert.ok(fraction >= last && fraction <= 1);
        last = fraction;
        told.push(what);
      },
    },
  );
  assert.equal(told[0], basename(graph));
  assert.ok(told.includes('encoder.layer.*.attention.self.query'));
});

test('globs of a part name its members and no matrix beside them, in every family', { skip: noGenerated }, async () => {
  for (const path of plainModels) {
    if (!existsSync(join(generated, path))) continue;
    const opened = await openPath(join(generated, path));
    try {
      const { tree } = summarize(opened.model, opened.anatomy);
      for (const by of ['layers', 'organs', 'matrices'] as const) {
        const parts = partsOf(opened.anatomy, tree, by);
        const all = parts.flatMap(({ members }) => members);
        assert.equal(new Set(all).size, all.length, `${path}: a matrix in two parts`);
        assert.equal(new Set(parts.map(({ id }) => id)).size, parts.length);
        for (const { globs, members, id, parameters } of parts) {
          const named = all.filter(each => globs.some(glob => matchesGlob(each, glob)));
          assert.deepEqual(named.sort(), [...members].sort(), `${path}: ${id}`);
          assert.ok(parameters > 0, `${path}: ${id}`);
        }
      }
    } finally {
      await opened.close();
    }
  }
});
