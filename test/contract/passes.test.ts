import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { detect } from '../../src/core/anatomy/detect.ts';
import { formatOf } from '../../src/core/format/registry.ts';
import type { Edit } from '../../src/core/passes/pass.ts';
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
  writeToMemory,
} from '../core/passes/fixtures.ts';

const described = (edit: Edit) => [
  edit.kind,
  edit.target.id,
  edit.values.dtype,
  edit.values.shape.join(),
  edit.values.byteLength,
];

const shapeOf = ({ model, anatomy }: Body) => {
  const { parameters, layers, heads, headDim, intermediate, family, task } = summarize(model, anatomy).model;
  return { parameters, layers, heads, headDim, intermediate, family, task, unclaimed: anatomy.unclaimed.length };
};

/** Schemes are as different as passes: each is held to the contract. */
const cases = passes.flatMap(pass => {
  const scheme = pass.fields.scheme;
  const options = scheme?.kind === 'choice' ? scheme.choices.map(({ value }) => ({ scheme: value })) : [{}];
  return options.map(option => ({ pass: pass.id, option, title: [pass.id, ...Object.values(option)].join(' ') }));
});

for (const { id, fields } of passes)
  test(`${id}: a recipe without options gets every default, and the defaults are accepted as they are`, () => {
    const [filled] = parseRecipe({ version: 1, steps: [{ pass: id }] }).steps;
    assert.deepEqual(Object.keys(filled!.options), Object.keys(fields));
    assert.deepEqual(parseRecipe({ version: 1, steps: [filled] }).steps[0], filled);
  });

for (const { pass, option, title } of cases) {
  test(`${title}: planning reads no weight, and gives the same plan twice`, { skip: noGenerated }, async () => {
    for (const path of plainModels) {
      const source = await openSource(join(generated, path));
      const before = source.counting.bytes;
      const plans = [await planOf(source.body, option, pass), await planOf(source.body, option, pass)];
      assert.equal(source.counting.bytes, before, path);
      assert.deepEqual(plans[0]!.edits.map(described), plans[1]!.edits.map(described), path);
      assert.deepEqual(plans[0]!.skipped, plans[1]!.skipped, path);
      assert.ok(plans[0]!.edits.length + plans[0]!.skipped.length > 0, `${path}: nothing to say`);
      await source.close();
    }
  });

  test(`${title}: the announced length is the written length, and a second run writes the same bytes`, {
    skip: noGenerated,
  }, async () => {
    for (const path of plainModels) {
      const source = await openSource(join(generated, path));
      const plan = await planOf(source.body, option, pass);
      if (plan.edits.length > 0) {
        const { model } = await apply(source.body, plan);
        const again = await apply(source.body, await planOf(source.body, option, pass));
        const announced = await formatOf(model.format).plan(model, nameOf(model));
        const files = await writeToMemory(model);
        for (const { name, byteLength } of announced) assert.equal(files.get(name)?.length, byteLength, `${path}: ${name}`);
        assert.deepEqual(await writeToMemory(again.model), files, path);
      }
      await source.close();
    }
  });

  test(`${title}: the written file is seen as the model that was promised, with the source's layers, heads and parameters`, {
    skip: noGenerated,
  }, async () => {
    for (const path of plainModels) {
      const source = await openSource(join(generated, path));
      const plan = await planOf(source.body, option, pass);
      if (plan.edits.length > 0) {
        const promised = await apply(source.body, plan);
        const written = await openMemory(await writeToMemory(promised.model), nameOf(promised.model));
        const model = { ...written, config: promised.model.config };
        const found = shapeOf({ model, anatomy: await detect(model) });
        assert.deepEqual(found, shapeOf(promised), path);
        assert.deepEqual(found, shapeOf(source.body), path);
      }
      await source.close();
    }
  });

  test(`${title}: what no edit names has the bytes it had`, { skip: noGenerated }, async () => {
    for (const path of plainModels) {
      const source = await openSource(join(generated, path));
      const plan = await planOf(source.body, option, pass);
      const edited = new Set(plan.edits.map(edit => edit.target.weight.name));
      const { model } = plan.edits.length > 0 ? await apply(source.body, plan) : source.body;
      for (const [name, tensor] of source.body.model.tensors)
        if (!edited.has(name)) assert.equal(model.tensors.get(name), tensor, `${path}: ${name}`);
      await source.close();
    }
  });
}
