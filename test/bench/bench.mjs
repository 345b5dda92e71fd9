// `npm run bench`: claims about speed, each as a ratio against a named rival in the same run, in turn, so that a noisy machine hits both.
// The rivals are Python's onnx and onnxruntime: HEADROOM_PYTHON names a Python that has them (default: python3). Without one, only our own figures are printed.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, copyFileSync, fsyncSync, ftruncateSync, mkdirSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { makeBertBase } from './base-onnx.mjs';
import { evaluateSides } from './evaluate.mjs';
import { benchExport } from './export.mjs';
import { benchFactorize } from './factorize.mjs';
import { benchInt4 } from './int4.mjs';
import { benchInt8Runs } from './int8.mjs';
import { benchStatistics } from './statistics.mjs';

const runs = Number(process.env.HEADROOM_BENCH_RUNS ?? 5);
const folder = process.env.HEADROOM_BENCH_FOLDER ?? join(tmpdir(), 'headroom-bench');
const python = process.env.HEADROOM_PYTHON ?? 'python3';
const worker = fileURLToPath(new URL('./worker.mjs', import.meta.url));

mkdirSync(folder, { recursive: true });
const base = join(folder, 'bert-base.onnx');
const baseBytes = makeBertBase(base);
const sparse = join(folder, 'sparse-5gb.safetensors');
makeSparse(sparse);

console.log(`${cpus()[0].model}, ${cpus().length} processors, Node ${process.version}; median of ${runs} runs in turn`);
const rival = startRival();
const ours = startLines(process.execPath, [worker]);

await section(`inspect of a ${mb(baseBytes)} BERT-base ONNX, in a ready process`, async () => {
  const { a, b } = await inTurn(
    () => ours.ask({ do: 'inspect', path: base }),
    rival && (() => rival.ask({ do: 'load', path: base })),
  );
  row(
    'headroom inspect',
    a,
    it => `${ms(it.seconds)}, reads ${((100 * it.bytesRead) / baseBytes).toFixed(2)} % of the file (at most 2 %)`,
  );
  if (b) row('onnx.load', b, it => ms(it.seconds));
  if (b) ratio('inspect / onnx.load', a, b, 'at most 1/20 = 0.05');
});

await section('opening a 5 GB (sparse) safetensors, in a ready process', async () => {
  const { a } = await inTurn(() => ours.ask({ do: 'inspect', path: sparse }));
  row('headroom inspect', a, it => `${ms(it.seconds)} (under 300 ms)`);
});

await section(`int8 of the ${mb(baseBytes)} BERT-base ONNX`, async () => {
  const out = join(folder, 'out.onnx');
  const fresh = () => rmSync(out, { force: true });
  const quantize = async scheme => {
    fresh();
    const process_ = startLines(process.execPath, [worker]);
    const answer = await process_.ask({ do: 'quantize', path: base, out, scheme });
    process_.stop();
    return { ...answer, outBytes: statSync(out).size };
  };
  const results = { int8: [], dynamic: [], copy: [], rival: [] };
  for (let i = 0; i < runs; i++) {
    results.int8.push(await quantize('int8'));
    results.copy.push(timed(() => copyDurably(base, join(folder, 'copy.onnx'))));
    results.dynamic.push(await quantize('int8-dynamic'));
    if (rival && i < Math.min(runs, 3)) {
      fresh();
      results.rival.push(await rival.ask({ do: 'quantize', path: base, out }));
    }
  }
  row('headroom int8', results.int8, it => `${ms(it.seconds)}, peak ${mb(it.peakBytes)} (at most 150 MB), ${mb(it.outBytes)}`);
  row('headroom int8-dynamic', results.dynamic, it => `${ms(it.seconds)}, peak ${mb(it.peakBytes)}, ${mb(it.outBytes)}`);
  row('a plain copy of the file, flushed to disk', results.copy, it => ms(it.seconds));
  ratio('int8 / copy', results.int8, results.copy, 'at most 2');
  if (results.rival.length > 0) {
    row("onnxruntime's quantize_dynamic, per channel", results.rival, it => `${ms(it.seconds)}, peak ${mb(it.peakBytes)}`);
    ratio('quantize_dynamic / int8', results.rival, results.int8, 'at least 20');
    ratio('quantize_dynamic / int8-dynamic', results.rival, results.dynamic, '');
  }
  rmSync(join(folder, 'copy.onnx'), { force: true });
  fresh();
});

await section(`a run of BERT-base in 8 bits, batch 1, length 128`, () => benchInt8Runs(base, folder, runs));

await section(`int4 without text of the ${mb(baseBytes)} BERT-base ONNX`, () => benchInt4(base, folder, runs, python));

await section('evaluating STS-B dev on minilm, whole processes', async () => {
  const sides = evaluateSides(folder, python);
  if (typeof sides === 'string') return console.log(`  ${sides}`);
  const { a, b } = await inTurn(sides.ours, sides.rival);
  const describe = it => `${ms(it.seconds)}, peak ${mb(it.peakBytes)}, Spearman ${it.spearman.toFixed(2)}`;
  row(`headroom evaluate, ${sides.threads} threads, batches of ${sides.batch} (at most 500 MB)`, a, describe);
  if (!b) return console.log(`  no rival: ${python} has no onnxruntime and tokenizers`);
  row('a Python script with onnxruntime and tokenizers', b, describe);
  ratio('headroom / Python', a, b, 'at most 1.15');
});

await section('exporting minilm from safetensors to ONNX', () => benchExport(folder, runs));

await section('factors of rank half of full of all 72 matrices of BERT-base’s shapes', () => benchFactorize());

await section(`the statistics of all of the ${mb(baseBytes)} BERT-base ONNX`, () => benchStatistics(base, runs));

ours.stop();
rival?.stop();

function copyDurably(from, to) {
  rmSync(to, { force: true });
  copyFileSync(from, to);
  const fd = openSync(to, 'r+');
  fsyncSync(fd);
  closeSync(fd);
}

function timed(work) {
  const start = performance.now();
  work();
  return { seconds: (performance.now() - start) / 1000 };
}

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
  console.log(`\n${title}`);
  await work();
}
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
function row(name, results, describe) {
  const middle = results.find(it => it.seconds === median(results.map(each => each.seconds)));
  const [low, high] = [Math.min(...results.map(it => it.seconds)), Math.max(...results.map(it => it.seconds))];
  console.log(`  ${name}: ${describe(middle)}  [${ms(low)} to ${ms(high)}]`);
}
function ratio(name, a, b, bar) {
  console.log(
    `  ${name}: ${(median(a.map(it => it.seconds)) / median(b.map(it => it.seconds))).toFixed(3)}${bar ? ` (${bar})` : ''}`,
  );
}
function ms(seconds) {
  return seconds < 1 ? `${(1000 * seconds).toFixed(1)} ms` : `${seconds.toFixed(2)} s`;
}
function mb(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** A process that answers a line of JSON with a line of JSON. */
function startLines(command, args) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = [];
  createInterface({ input: child.stdout }).on('line', line => {
    const answer = JSON.parse(line);
    if (answer.error) waiting.shift().reject(new Error(answer.error));
    else waiting.shift().resolve(answer);
  });
  child.on('exit', code => {
    for (const it of waiting.splice(0)) it.reject(new Error(`${command} ended with ${code}`));
  });
  const ask = request =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      child.stdin.write(`${JSON.stringify(request)}\n`);
    });
  return { ask, stop: () => child.kill() };
}

function startRival() {
  const check = spawnSync(python, ['-c', 'import onnx, onnxruntime; print(onnx.__version__, onnxruntime.__version__)'], {
    encoding: 'utf8',
  });
  if (check.status !== 0) {
    console.log(`no rival: ${python} has no onnx and onnxruntime (HEADROOM_PYTHON names one that has)`);
    return undefined;
  }
  console.log(`rival: onnx ${check.stdout.trim().replace(' ', ', onnxruntime ')}`);
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
