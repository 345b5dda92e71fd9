// Three sections of the bench: BERT-base to int8, to int4 without text and to fp16, beside onnxruntime's own tools, in turn. Both sides
// are ready processes, a new one for each run, that read a file and write one. Run alone: node test/bench/bench.mjs quantizing
import { closeSync, copyFileSync, fsyncSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { missingEngine, startEngine } from './engine.mjs';
import { claim, mb, ms, ratio, row, secondsOf, startLines } from './measure.mjs';

const script = fileURLToPath(new URL('./rival.py', import.meta.url));
const described = it => `${ms(it.seconds)}, peak ${mb(it.peakBytes)}, ${mb(it.outBytes ?? 0)}`;
const most = results => Math.max(...results.map(it => it.peakBytes));

export const kinds = {
  int8: {
    ours: { int8: { scheme: 'int8' }, 'int8-dynamic': { scheme: 'int8-dynamic' } },
    rival: 'quantize_dynamic',
    least: 20,
    peak: 150e6,
    copies: 2,
  },
  // The tool leaves the tables as they are; here they are quantized too.
  int4: { ours: { int4: { scheme: 'int4' } }, rival: 'MatMulNBitsQuantizer', least: 5 },
  fp16: { ours: { fp16: { scheme: 'fp16' } }, rival: 'convert_float_to_float16', least: 20 },
};

/** `hasRival`: whether the Python has this kind's tool. */
export async function benchQuantize(kind, base, folder, runs, python, hasRival) {
  if (missingEngine) return console.log(`  skipped: ${missingEngine}`);
  const { ours, rival, least, peak, copies } = kinds[kind];
  const out = join(folder, 'out.onnx');
  const results = Object.fromEntries(Object.keys(ours).map(name => [name, []]));
  const [copied, theirs] = [[], []];
  for (let run = 0; run < runs; run++) {
    for (const [name, options] of Object.entries(ours)) {
      results[name].push(await once(base, out, options));
      if (copies && copied.length === run) copied.push(copyDurably(base, join(folder, 'copy.onnx')));
    }
    if (hasRival && run < Math.min(runs, 3)) theirs.push(await onceByRival(python, kind, base, out));
  }
  rmSync(out, { force: true });
  for (const [name, own] of Object.entries(results)) row(`headroom ${name}`, own, described);
  if (hasRival) row(`onnxruntime's ${rival}`, theirs, it => `${ms(it.seconds)}, peak ${mb(it.peakBytes)}`);
  else console.log(`  no rival: ${python} has no ${rival}`);
  if (copies) row('a plain copy of the file, flushed to disk', copied);
  for (const [name, own] of Object.entries(results)) {
    if (hasRival) ratio(`${rival} / ${name}`, theirs, own, { least });
    if (copies) claim(`${name} / copy`, secondsOf(own) / secondsOf(copied), { most: copies });
    claim(`${name}, peak memory`, most(own), { most: peak }, mb);
  }
}

async function once(base, out, options) {
  const engine = startEngine();
  try {
    await engine.makeReady(options);
    return await engine.quantize(base, out, options);
  } finally {
    engine.stop();
  }
}

async function onceByRival(python, kind, base, out) {
  rmSync(out, { force: true });
  const lines = startLines(python, [script]);
  try {
    await lines.ask({ do: kind });
    return await lines.ask({ do: kind, path: base, out });
  } finally {
    lines.stop();
  }
}

function copyDurably(from, to) {
  rmSync(to, { force: true });
  const start = performance.now();
  copyFileSync(from, to);
  const fd = openSync(to, 'r+');
  fsyncSync(fd);
  closeSync(fd);
  const seconds = (performance.now() - start) / 1000;
  rmSync(to);
  return { seconds };
}
