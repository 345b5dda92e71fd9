import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { held } from '../../../../src/core/passes/computed.ts';
import { tableFactors } from '../../../../src/core/passes/factorize/table.ts';
import { gptqMatrix } from '../../../../src/core/passes/quantize/gptq/gptq-matrix.ts';
import { roundProjection } from '../../../../src/core/passes/quantize/gptq/projection.ts';
import { matrixOf } from '../../../../src/core/passes/refit/matrix-of.ts';
import { tokenCounts } from '../../../../src/core/passes/token-counts.ts';
import { acting } from '../../../../src/core/report/acting.ts';
import { apply, type Body } from '../../../../src/core/rewrite/apply.ts';
import { openCalibration } from '../../../../src/core/session/calibrate.ts';
import { openPath } from '../../../../src/core/session/open.ts';
import { readFloats } from '../../../../src/core/tensor/floats.ts';
import { generated, nameOf, noGenerated, planOf, writeToMemory } from '../fixtures.ts';
import { numbersOf, run, someIds } from '../run.ts';

const texts = ['a b c', 'd', 'the cat sat on the mat', 'x y z w', 'one two'];

async function outputsOf({ model }: Body): Promise<ArrayLike<number>> {
  const bytes = (await writeToMemory(model)).get(nameOf(model))!;
  return numbersOf(Object.values(await run(bytes, someIds(2, 9)))[0]!);
}

test('what widens rounded rows is refitted to give what the rows gave on the text, better than as it was; scales of rows take 2 bytes', {
  skip: noGenerated,
}, async () => {
  const opened = await openPath(join(generated, 'bert-base/model.torchscript.onnx'));
  const rank = 32;
  const narrow = await apply(opened, { edits: [tableFactors(opened.anatomy.tables[0]!, rank)], skipped: [] });
  const plan = await planOf(narrow, { scheme: 'int4', embedding_bits: 4 });
  const [edit] = plan.edits.flatMap(it =>
    it.kind === 'quantize-blocks' && it.target.id === 'embeddings.word_embeddings' ? [it] : [],
  );
  assert.equal(edit!.scale.dtype, 'fp16');
  const calibration = await openCalibration(opened, narrow, texts);
  try {
    const form = { bits: 4, group: 16, symmetric: false };
    const found = await roundProjection(
      calibration,
      narrow.anatomy,
      [edit!],
      () => form,
      async () => undefined,
    );
    const { projection, matrix } = found!;
    const own = await matrixOf(projection);
    const [table] = narrow.anatomy.tables;
    const rows = await readFloats(table!.weight);
    const written = await apply(narrow, { edits: [edit!], skipped: [] });
    const shown = (await acting(written.anatomy.tables[0]!))!;
    const rounded = await shown.rowsOf(0, shown.rows);
    const weight = held('', 'fp32', table!.weight.shape, Float32Array.from(rounded));
    const widened = await apply(narrow, { edits: [{ kind: 'replace', target: table!, weight }], skipped: [] });
    const [given, expected] = [await outputsOf(written), await outputsOf(widened)];
    // What is looked up is fp16 in between.
    for (const [i, value] of Array.from(given).entries())
      assert.ok(Math.abs(value - expected[i]!) < 2e-3, `${value} is not ${expected[i]}`);
    const counts = tokenCounts(table!.rows, calibration.ids);
    /** The squared error of all that rows give, each as often as it is counted. */
    const errorOf = (weight_HR: Float32Array): number => {
      let sum = 0;
      for (let v = 0; v < table!.rows; v++)
        for (let h = 0; h < projection.out; h++) {
          let difference = 0;
          for (let r = 0; r < rank; r++)
            difference += rows[v * rank + r]! * own[h * rank + r]! - rounded[v * rank + r]! * weight_HR[h * rank + r]!;
          sum += counts[v]! * difference ** 2;
        }
      return sum;
    };
    const even = Float64Array.from({ length: rank * rank }, (_, i) => (i % (rank + 1) === 0 ? 1 : 0));
    const nearest = await gptqMatrix(own, projection.out, rank, even, form);
    assert.ok(
      errorOf(matrix.weight_OI) < 0.97 * errorOf(nearest.weight_OI),
      `${errorOf(matrix.weight_OI)} of ${errorOf(nearest.weight_OI)}`,
    );
    assert.equal(
      await roundProjection(
        calibration,
        narrow.anatomy,
        [],
        () => form,
        async () => undefined,
      ),
      undefined,
    );
    assert.equal(
      await roundProjection(
        calibration,
        narrow.anatomy,
        [edit!],
        () => undefined,
        async () => undefined,
      ),
      undefined,
    );
  } finally {
    await calibration.close();
    await opened.close();
  }
});
