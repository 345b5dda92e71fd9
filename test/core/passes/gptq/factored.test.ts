import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { linearsIn } from '../../../../src/core/anatomy/anatomy.ts';
import type { ReplaceEdit } from '../../../../src/core/passes/pass.ts';
import { repair } from '../../../../src/core/passes/quantize/gptq/repair.ts';
import { storedAs } from '../../../../src/core/passes/refit/matrix-of.ts';
import { apply } from '../../../../src/core/rewrite/apply.ts';
import { openCalibration } from '../../../../src/core/session/calibrate.ts';
import { openPath } from '../../../../src/core/session/open.ts';
import { sourceBehind, sourceOf } from '../../../../src/core/session/source.ts';
import { generated, noGenerated, planOf } from '../fixtures.ts';

const words = 'the a cat dog house runs sees of in to and is was big small one two three red blue'.split(' ');
const texts = Array.from({ length: 48 }, (_, i) =>
  Array.from({ length: 3 + (i % 9) }, (__, j) => words[(i * 7 + j * (3 + (i % 5))) % words.length]).join(' '),
);

test('the factors of matrices are rounded on text too; aimed at the model before it was factored, the vectors come nearer to that one’s', {
  skip: noGenerated,
}, async () => {
  const opened = await openPath(join(generated, 'bert-base/model.torchscript.onnx'));
  const plan = await planOf(opened, { ratio: 0.8 }, 'factorize');
  const body = await apply(opened, plan);
  const source = sourceBehind(sourceOf(opened), plan, body);
  const whole = await openCalibration(opened, opened, texts);
  const { pooled } = await whole.vectors([]);
  await whole.close();
  const distances: number[] = [];
  for (const aim of [undefined, () => source]) {
    const calibration = await openCalibration(opened, body, texts, undefined, undefined, aim);
    try {
      const form = { bits: 3, group: 16, symmetric: false };
      const { matrices, replacements, unseen } = await repair(calibration, body.anatomy, () => form, [], {});
      assert.deepEqual(unseen, []);
      const linears = body.anatomy.layers.flatMap(linearsIn);
      assert.ok(linears.every(({ weight }) => matrices.has(weight.name)));
      const rounded = linears.map((target): ReplaceEdit => {
        const weight = storedAs(target, matrices.get(target.weight.name)!.weight_OI);
        return { kind: 'replace', target, weight };
      });
      const after = await calibration.vectors([...replacements, ...rounded]);
      distances.push(after.pooled.reduce((sum, value, i) => sum + (value - pooled[i]!) ** 2, 0));
    } finally {
      await calibration.close();
    }
  }
  await opened.close();
  const [itself, towards] = distances as [number, number];
  assert.ok(towards < 0.9 * itself, `${towards} of ${itself}`);
});
