import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { held } from '../../../src/core/passes/computed.ts';
import { quantize } from '../../../src/core/passes/quantize.ts';
import { apply } from '../../../src/core/rewrite/apply.ts';
import { openCalibration } from '../../../src/core/session/calibrate.ts';
import { openPath } from '../../../src/core/session/open.ts';
import { readFloats } from '../../../src/core/tensor/floats.ts';
import { generated, nameOf, noGenerated, openSource, writeToMemory } from '../passes/fixtures.ts';
import { cosine, numbersOf, run, someIds } from '../passes/run.ts';

/** A layer whose neurons give some 100,000 times what they gave, and a second matrix that takes it back. */
async function loudModel(folder: string): Promise<string> {
  const from = join(generated, 'bert-base');
  const source = await openSource(join(from, 'model.torchscript.onnx'));
  const { up, down } = source.body.anatomy.layers[1]!;
  const scaled = async (linear: typeof up, factor: number) => {
    const weight = Float32Array.from(await readFloats(linear.weight), value => value * factor);
    return { kind: 'replace', target: linear, weight: held('loud', 'fp32', linear.weight.shape, weight) } as const;
  };
  const loud = await apply(source.body, { edits: [await scaled(up, 2e5), await scaled(down, 1e-3)], skipped: [] });
  const path = join(folder, 'model.onnx');
  writeFileSync(path, (await writeToMemory(loud.model)).get(nameOf(loud.model))!);
  for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'vocab.txt'])
    copyFileSync(join(from, name), join(folder, name));
  await source.close();
  return path;
}

test('matrices whose activations leave fp16 on the text stay in 32 bits and are named, and the graph runs as before within 1e-4', {
  skip: noGenerated,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headroom-loud-'));
  try {
    const path = await loudModel(folder);
    const opened = await openPath(path);
    const { model, anatomy } = opened;
    const calibration = await openCalibration(opened, opened, ['the cat sat on the mat', 'a b c', 'one two three four']);
    const fields = Object.entries(quantize.fields).map(([name, field]) => [name, field.default]);
    const options = { ...Object.fromEntries(fields), scheme: 'fp16' };
    const context = { model, format: 'onnx', calibration: async () => calibration } as const;
    const plan = await quantize.plan(anatomy, options as never, context);
    const { model: made } = await apply(opened, plan);
    const bytes = (await writeToMemory(made)).get('model.onnx')!;
    const named = plan.skipped.filter(({ reason }) => reason.text.includes('65504')).map(({ target }) => target);
    assert.deepEqual(named, ['encoder.layer.1.intermediate.dense', 'encoder.layer.1.output.dense']);
    const { up, down, query } = anatomy.layers[1]!;
    const types = [up, down, query].map(({ weight }) => made.tensors.get(weight.name)!.dtype);
    assert.deepEqual(types, ['fp32', 'fp32', 'fp16']);
    const ids = someIds(2, 10);
    const first = async (file: string | Uint8Array) => numbersOf(Object.values(await run(file, ids))[0]!);
    const before = await first(path);
    assert.ok(cosine(before, await first(bytes)) > 0.9999);
    await calibration.close();
    await opened.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
