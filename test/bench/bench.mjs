// `npm run bench`: claims about speed, each as a ratio against a named rival in the same run, in turn, so that a noisy machine hits both.
// The rivals are Python's onnx and onnxruntime: HEADROOM_PYTHON names a Python that has them (default: python3). Without one, only our own figures are printed.
// `npm run bench -- int8 fp16` runs the sections whose titles have one of the words. What is measured of our own is what dist has: build first.
import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeBertBase } from './base-onnx.mjs';
import { missingEngine, startEngine } from './engine.mjs';
import { evaluateSides } from './evaluate.mjs';
import { benchExport } from './export.mjs';
import { benchFactorize } from './factorize.mjs';
import { benchInt8Runs } from './int8-runs.mjs';
import { claim, mb, ms, printClaims, processorHas, ratio, row, secondsOf, startLines } from './measure.mjs';
import { benchQuantize } from './quantize.mjs';
import { benchStatistics } from './statistics.mjs';

const words = process.argv.slice(2);
const runs = Number(process.env.HEADROOM_BENCH_RUNS ?? 5);
const folder = process.env.HEADROOM_BENCH_FOLDER ?? join(tmpdir(), 'headroom-bench');
const python = process.env.HEADROOM_PYTHON ?? 'python3';

mkdirSync(folder, { recursive: true });
const base = join(folder, 'bert-base.onnx');
const baseBytes = makeBertBase(base);
const size = mb(baseBytes);

console.log(`${cpus()[0].model}, ${cpus().length} processors with ${processorHas()}, Node ${process.version}`);
console.log(`median of ${runs} runs in turn`);
const versions = pythonHas('import onnx, onnxruntime; print(onnx.__version__, onnxruntime.__version__)');
if (versions) console.log(`rival: onnx ${versions.replace(' ', ', onnxruntime ')}`);
else console.log(`no rival: ${python} has no onnx and onnxruntime (HEADROOM_PYTHON names one that has)`);

await section(`inspecting the ${size} BERT-base ONNX, in a ready process`, async () => {
  if (missingEngine) return console.log(`  skipped: ${missingEngine}`);
  const [engine, rival] = [startEngine(), versions ? startRival() : undefined];
  const { a, b } = await inTurn(() => engine.inspect(base), rival && (() => rival.ask({ do: 'load', path: base })));
  row('headroom inspect', a, it => `${ms(it.seconds)}, reads ${((100 * it.bytesRead) / baseBytes).toFixed(2)} % of the file`);
  const share = Math.max(...a.map(it => it.bytesRead / baseBytes));
  claim('inspect, read of the file', share, { most: 0.02 }, number => `${(100 * number).toFixed(2)} %`);
  if (b) row('onnx.load', b);
  if (b) ratio('inspect / onnx.load', a, b, { most: 0.05 });
  engine.stop();
  rival?.stop();
});

await section('opening a 5 GB (sparse) safetensors, in a ready process', async () => {
  if (missingEngine) return console.log(`  skipped: ${missingEngine}`);
  const sparse = join(folder, 'sparse-5gb.safetensors');
  makeSparse(sparse);
  const engine = startEngine();
  const { a } = await inTurn(() => engine.inspect(sparse));
  row('headroom inspect', a);
  claim('opening 5 GB', secondsOf(a), { most: 0.3 }, ms);
  engine.stop();
});

const tools = {
  int8: 'import onnxruntime.quantization',
  int4: 'import onnxruntime.quantization.matmul_nbits_quantizer',
  fp16: 'import onnxruntime.transformers.float16',
};
for (const [kind, tool] of Object.entries(tools))
  await section(`quantizing the ${size} BERT-base ONNX to ${kind}`, () =>
    benchQuantize(kind, base, folder, runs, python, pythonHas(`import onnx\n${tool}\nprint(1)`) !== undefined),
  );

await section(`running BERT-base in 8 bits, batch 1, length 128`, () => benchInt8Runs(base, folder, runs));

await section('evaluating STS-B dev on minilm, whole processes', async () => {
  const sides = evaluateSides(folder, python);
  if (typeof sides === 'string') return console.log(`  ${sides}`);
  const { a, b } = await inTurn(sides.ours, sides.rival);
  const describe = it => `${ms(it.seconds)}, peak ${mb(it.peakBytes)}, Spearman ${it.spearman.toFixed(2)}`;
  row(`headroom evaluate, ${sides.threads} threads, batches of ${sides.batch}`, a, describe);
  claim('evaluate, peak memory', Math.max(...a.map(it => it.peakBytes)), { most: 500e6 }, mb);
  if (!b) return console.log(`  no rival: ${python} has no onnxruntime and tokenizers`);
  row('a Python script with onnxruntime and tokenizers', b, describe);
  ratio('evaluate / Python', a, b, { most: 1.15 });
});

await section('exporting minilm from safetensors to ONNX', () => benchExport(folder, runs));

await section('factors of rank half of full of all 72 matrices of BERT-base’s shapes', () => benchFactorize());

await section(`statistics of all of the ${size} BERT-base ONNX`, () => benchStatistics(base, runs));

printClaims();

async function inTurn(first, second) {
  const [a, b] = [[], []];
  await first();
  await second?.();
  for (let i = 0; i < runs; i++) {
    a.push(await first());
    if (second) b.push(await second());
  }
  return { a, b: second ? b : undefined };
}

async function section(title, work) {
  if (words.length > 0 && !words.some(word => title.includes(word))) return;
  console.log(`\n${title}`);
  await work();
}

/** What the lines print, without the end; undefined where they fail. */
function pythonHas(lines) {
  const { status, stdout } = spawnSync(python, ['-c', lines], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

function startRival() {
  return startLines(python, [fileURLToPath(new URL('./rival.py', import.meta.url))]);
}

/** 5 GB that take no room on the disk: a header and a hole. */
function makeSparse(path) {
  const tensors = {};
  const hidden = 4096;
  let offset = 0;
  const add = (name, ...shape) => {
    const byteLength = 4 * shape.reduce((a, b) => a * b, 1);
    tensors[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + byteLength] };
    offset += byteLength;
  };
  add('embeddings.word_embeddings.weight', 30522, hidden);
  for (let layer = 0; layer < 22; layer++) {
    for (const name of ['attention.self.query', 'attention.self.key', 'attention.self.value', 'attention.output.dense'])
      add(`encoder.layer.${layer}.${name}.weight`, hidden / 2, hidden);
    add(`encoder.layer.${layer}.intermediate.dense.weight`, hidden, hidden / 2);
    add(`encoder.layer.${layer}.output.dense.weight`, hidden / 2, hidden);
  }
  const header = Buffer.from(JSON.stringify(tensors));
  const fd = openSync(path, 'w');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeSync(fd, length);
  writeSync(fd, header);
  ftruncateSync(fd, 8 + header.length + offset);
  closeSync(fd);
}
