// A section of the bench: a run of BERT-base in 8 bits beside one in 32, in turn, batch 1, length 128, and what the processor has for it.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { createSession } from '../../src/core/session/session.ts';
import { claim, median, processorHas } from './measure.mjs';

const forms = { int8: {}, 'int8, standard operators': { operators: 'standard' }, 'int8-dynamic': { scheme: 'int8-dynamic' } };
const [length, threads] = [128, 2];

export async function benchInt8Runs(base, folder, runs) {
  // Without VNNI, products of 8-bit activations with signed weights saturate: int8 has 7 by default.
  console.log(`  the processor has: ${processorHas()}; ${threads} threads`);
  const paths = new Map([['fp32', base]]);
  const session = createSession();
  for (const [name, options] of Object.entries(forms)) {
    const out = join(folder, `runs.${paths.size}.onnx`);
    await session.compress({ path: base, out, force: true, recipe: { version: 1, steps: [{ pass: 'quantize', options }] } });
    paths.set(name, out);
  }
  const options = { intraOpNumThreads: threads, logSeverityLevel: 3 };
  const sessions = new Map();
  for (const [name, path] of paths) sessions.set(name, await InferenceSession.create(path, options));
  const times = new Map([...paths.keys()].map(name => [name, []]));
  for (let i = 0; i <= 2 * runs; i++)
    for (const [name, model] of sessions) {
      const started = performance.now();
      await model.run(feedsOf(model));
      if (i > 0) times.get(name).push(performance.now() - started);
    }
  const whole = median(times.get('fp32'));
  for (const [name, list] of times) {
    console.log(`  ${name}: ${median(list).toFixed(1)} ms`);
    if (name !== 'fp32') claim(`a run in ${name} / in fp32`, median(list) / whole, name === 'int8' ? { most: 0.6 } : {});
  }
  for (const [name, path] of paths) {
    await sessions.get(name).release();
    if (path !== base) rmSync(path);
  }
}

const feedsOf = model =>
  Object.fromEntries(
    model.inputNames.map(name => {
      const at = i => BigInt(name.includes('mask') ? 1 : name.includes('type') ? 0 : 1000 + ((i * 7919) % 20000));
      return [
        name,
        new Tensor(
          'int64',
          BigInt64Array.from({ length }, (_, i) => at(i)),
          [1, length],
        ),
      ];
    }),
  );
