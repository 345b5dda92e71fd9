import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { InferenceSession, type Tensor } from 'onnxruntime-node';
import { anyInputs } from './any-inputs.ts';
import { generated, noGenerated, noThirdParty, plainModels, quantized, shared } from './fixtures.ts';
import { cosine, numbersOf } from './run.ts';

const folder = join(shared, 'third-party/models');
const thirdParty = noThirdParty ? [] : readdirSync(folder).filter(name => name.endsWith('.onnx'));

type Outputs = Readonly<Record<string, Tensor>>;

async function outputsOf(model: Uint8Array | string, feeds?: Outputs): Promise<{ feeds: Outputs; outputs: Outputs }> {
  const session = await InferenceSession.create(model as string, { intraOpNumThreads: 1, logSeverityLevel: 4 });
  try {
    const given = feeds ?? anyInputs(session);
    return { feeds: given, outputs: (await session.run(given)) as Outputs };
  } finally {
    await session.release();
  }
}

/** Runs the quantized file on what the original ran on. Gives the number of edits. */
async function compare(path: string, options: Readonly<Record<string, unknown>>, least: number): Promise<number> {
  const before = await outputsOf(path).catch(() => undefined);
  // What onnxruntime does not take, or what needs inputs of its own kind, says nothing about us.
  if (!before) return 0;
  const { plan, bytes } = await quantized(path, options);
  if (plan.edits.length === 0) return 0;
  const { outputs } = await outputsOf(bytes, before.feeds);
  assert.deepEqual(Object.keys(outputs), Object.keys(before.outputs), path);
  for (const [name, old] of Object.entries(before.outputs)) {
    assert.equal(outputs[name]!.type, old.type, `${path}: ${name}`);
    if (old.type !== 'float32') continue;
    // Where the original has infinities, NaN or more than any scheme can hold, there is nothing to compare.
    const fits = (it: number) => Math.abs(it) < 65504;
    const places = [...numbersOf(old).keys()].filter(at => fits(numbersOf(old)[at]!));
    const [a, b] = [old, outputs[name]!].map(tensor => places.map(at => numbersOf(tensor)[at]!));
    if (a!.every(it => it === 0)) continue;
    const similar = cosine(a!, b!);
    assert.ok(similar >= least, `${path}: ${name} with ${JSON.stringify(options)}: cosine ${similar}`);
  }
  return plan.edits.length;
}

for (const [options, least] of [
  [{}, 0.98],
  [{ operators: 'standard' }, 0.98],
  [{ scheme: 'int8-dynamic' }, 0.98],
  [{ scheme: 'int8-weights' }, 0.999],
  [{ scheme: 'int4' }, 0.93],
  [{ scheme: 'fp16' }, 0.9999],
  [{ scheme: 'bf16' }, 0.999],
  [{ scheme: 'fp8' }, 0.98],
  [{ scheme: 'mixed' }, 0.93],
] as const)
  test(`every third-party graph that onnxruntime runs, it runs with ${JSON.stringify(options)}: outputs of the same types within cosine ${least}`, {
    skip: noThirdParty,
  }, async () => {
    let changed = 0;
    for (const name of thirdParty) if ((await compare(join(folder, name), options, least)) > 0) changed++;
    assert.ok(changed > 0, 'nothing was changed');
  });

for (const [options, least] of [
  [{ scheme: 'int4' }, 0.93],
  [{ scheme: 'int4', operators: 'standard' }, 0.93],
] as const)
  test(`every generated graph runs with ${JSON.stringify(options)} within cosine ${least}`, { skip: noGenerated }, async () => {
    for (const name of plainModels.filter(it => it.endsWith('.onnx'))) await compare(join(generated, name), options, least);
  });
