import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { detect } from '../../src/core/anatomy/detect.ts';
import { fileFolder } from '../../src/core/bytes/folder.ts';
import { formatOf } from '../../src/core/format/registry.ts';
import { describeEdit } from '../../src/core/passes/describe-edit.ts';
import type { Edit } from '../../src/core/passes/pass.ts';
import { schemes } from '../../src/core/passes/quantize/schemes.ts';
import { parseRecipe } from '../../src/core/passes/recipe.ts';
import { passes } from '../../src/core/passes/registry.ts';
import { summarize } from '../../src/core/report/summary.ts';
import { apply, type Body } from '../../src/core/rewrite/apply.ts';
import {
  generated,
  nameOf,
  noGenerated,
  openMemory,
  openSource,
  plainModels,
  planOf,
  type Source,
  weightEdits,
  writeToMemory,
} from '../core/passes/fixtures.ts';

const described = (edit: Edit) => ({
  ...describeEdit(edit),
  ...('values' in edit && { shape: edit.values.shape, byteLength: edit.values.byteLength }),
});

const shapeOf = ({ model, anatomy }: Body) => {
  const { parameters, layers, heads, headDim, intermediate, family, task } = summarize(model, anatomy).model;
  return { parameters, layers, heads, headDim, intermediate, family, task, unclaimed: anatomy.unclaimed.length };
};

const needText = new Set(schemes.filter(({ needs }) => needs === 'activations').map(({ id }) => id));

/** Where what is suggested looks at text. */
const withoutText: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'prune-hidden': { fraction: 0.5, by: 'magnitude', repair: 'none' },
};

/** Schemes are as different as passes: each that can do without text is held to the contract. A pass without them is tried with what it suggests. */
const cases = passes.flatMap(pass => {
  const scheme = pass.fields.scheme;
  const suggested = pass.suggestions?.slice(0, 1).map(option => withoutText[pass.id] ?? option) ?? [{}];
  const options =
    scheme?.kind === 'choice'
      ? scheme.choices.filter(it => !needText.has(it.value)).map(it => ({ scheme: it.value }))
      : suggested;
  return options.map(option => ({ pass: pass.id, option, title: [pass.id, ...Object.values(option)].join(' ') }));
});

for (const { id, fields } of passes)
  test(`${id}: a recipe without options gets every default, and the defaults are accepted as they are`, () => {
    const [filled] = parseRecipe({ version: 1, steps: [{ pass: id }] }).steps;
    assert.deepEqual(Object.keys(filled!.options), Object.keys(fields));
    assert.deepEqual(parseRecipe({ version: 1, steps: [filled] }).steps[0], filled);
  });

const opened: Source[] = [];
after(async () => {
  for (const source of opened) await source.close();
});

type Case = (typeof cases)[number];
const prepared = new Map<string, ReturnType<typeof prepareOnce>>();
const prepare = (it: Case, path: string) => {
  const key = `${it.title} ${path}`;
  if (!prepared.has(key)) prepared.set(key, prepareOnce(it, path));
  return prepared.get(key)!;
};

/** Two plans of one model, and what was read for them; the result of the first, in memory. */
async function prepareOnce({ pass, option }: Case, path: string) {
  const source = await openSource(join(generated, path));
  opened.push(source);
  const before = source.counting.bytes;
  // A tokenizer is beside the model where a pass rewrites it.
  const more = { beside: fileFolder(dirname(join(generated, path))) };
  const dry = await planOf(source.body, option, pass, true, more);
  const readByPlans = source.counting.bytes - before;
  const plans = [
    await planOf(source.body, option, pass, false, more),
    await planOf(source.body, option, pass, false, more),
  ] as const;
  const promised = plans[0].edits.length > 0 ? await apply(source.body, plans[0]) : source.body;
  const files = await writeToMemory(promised.model);
  return { source: source.body, dry, plans, readByPlans, promised, files };
}

for (const it of cases) {
  test(`${it.title}: a dry run says the sizes of the run without reading weights to change, and the same plan is made twice`, {
    skip: noGenerated,
  }, async () => {
    for (const path of plainModels) {
      const { source, dry, plans, readByPlans, promised } = await prepare(it, path);
      if (weightEdits(plans[0]).length === plans[0].edits.length) assert.equal(readByPlans, 0, path);
      assert.deepEqual(plans[0].edits.map(described), plans[1].edits.map(described), path);
      assert.deepEqual(plans[0].skipped, plans[1].skipped, path);
      assert.ok(plans[0].edits.length + plans[0].skipped.length > 0, `${path}: nothing to say`);
      const guessed = dry.edits.length > 0 ? (await apply(source, dry)).model : source.model;
      const lengthOf = async (model: typeof guessed) =>
        (await formatOf(model.format).plan(model, nameOf(model))).reduce((sum, file) => sum + file.byteLength, 0);
      assert.equal(await lengthOf(guessed), await lengthOf(promised.model), path);
    }
  });

  test(`${it.title}: the announced length is the written length, and a second run writes the same bytes`, {
    skip: noGenerated,
  }, async () => {
    for (const path of plainModels) {
      const { source, plans, promised, files } = await prepare(it, path);
      const { model } = promised;
      for (const { name, byteLength } of await formatOf(model.format).plan(model, nameOf(model)))
        assert.equal(files.get(name)?.length, byteLength, `${path}: ${name}`);
      const again = plans[1].edits.length > 0 ? await apply(source, plans[1]) : source;
      assert.deepEqual(await writeToMemory(again.model), files, path);
    }
  });

  test(`${it.title}: the written file is seen as the model that was promised, with the source's layers, heads and parameters where no edit changes them`, {
    skip: noGenerated,
  }, async () => {
    for (const path of plainModels) {
      const { source, plans, promised, files } = await prepare(it, path);
      const written = await openMemory(files, nameOf(promised.model));
      const model = { ...written, config: promised.model.config };
      const found = shapeOf({ model, anatomy: await detect(model) });
      assert.deepEqual(found, shapeOf(promised), path);
      const converts = plans[0].edits.filter(({ kind }) => kind === 'convert' || kind === 'replace').length;
      if (weightEdits(plans[0]).length + converts === plans[0].edits.length) assert.deepEqual(found, shapeOf(source), path);
      else {
        // Layers that share their weights leave none behind when one goes.
        const all = shapeOf(source);
        assert.ok(found.parameters < all.parameters || found.layers < all.layers, path);
      }
    }
  });

  test(`${it.title}: what no edit names has the bytes it had`, { skip: noGenerated }, async () => {
    for (const path of plainModels) {
      const { source, plans, promised } = await prepare(it, path);
      const edited = new Set(weightEdits(plans[0]).map(edit => edit.target.weight.name));
      if (edited.size < plans[0].edits.length) continue;
      for (const [name, tensor] of source.model.tensors)
        if (!edited.has(name)) assert.equal(promised.model.tensors.get(name), tensor, `${path}: ${name}`);
    }
  });
}
