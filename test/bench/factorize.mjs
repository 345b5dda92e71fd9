// The best factors of rank half of full for all 72 matrices of BERT-base's shapes, against numpy's svd with the same threads, matrix by
// matrix in turn, in a process each; then how far from the optimum they are for matrices of other kinds.
// `npm run bench` runs it as one of its sections; alone: node test/bench/factorize.mjs [MATRICES] [THREADS]
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { held } from '../../src/core/passes/computed.ts';
import { plainFactors } from '../../src/core/passes/factorize/plain.ts';
import { openPath } from '../../src/core/session/open.ts';
import { openProducts } from '../../src/core/session/products.ts';
import { readFloats } from '../../src/core/tensor/floats.ts';
import { claim, mb, startLines } from './measure.mjs';

const self = fileURLToPath(import.meta.url);
const python = process.env.HEADROOM_PYTHON ?? 'python3';

/** Query, key, value, output, up and down of twelve layers, [out, in]. */
const shapes = Array.from({ length: 12 }, () => [
  ...Array.from({ length: 4 }, () => [768, 768]),
  [3072, 768],
  [768, 3072],
]).flat();

const rival = `
import json, resource, sys, time
import numpy as np
for line in sys.stdin:
    out, width, path = json.loads(line)
    matrix = np.fromfile(path, np.float32).reshape(out, width)
    start = time.perf_counter()
    u, s, vt = np.linalg.svd(matrix, full_matrices=False)
    rank = len(s) // 2
    first, second = s[:rank, None] ** 0.5 * vt[:rank], u[:, :rank] * s[:rank] ** 0.5
    seconds = time.perf_counter() - start
    exact = np.linalg.svd(matrix.astype(np.float64), compute_uv=False) if out == width else s.astype(np.float64)
    print(json.dumps({"seconds": seconds, "best": float(np.sqrt((exact[rank:] ** 2).sum())),
        "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}), flush=True)
`;

/** Random directions with singular values that fall as those of trained matrices do: slowly. The same each time. */
function matrixOf(out, width, seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  const scale = Float32Array.from({ length: width }, (_, i) => 0.1 / (1 + (4 * i) / width));
  return Float32Array.from({ length: out * width }, (_, i) => next() * scale[i % width]);
}

async function factored([out, width, path], products) {
  const bytes = readFileSync(path);
  const values = new Float32Array(bytes.buffer, bytes.byteOffset, out * width);
  const weight = held('weight', 'fp32', [out, width], values);
  const linear = { id: 'matrix', weight, out, in: width, transposed: false, form: 'dense', nodes: [] };
  const rank = Math.min(out, width) / 2;
  const started = performance.now();
  const edit = plainFactors(linear, rank, products);
  const [first, second] = [await floats(edit.first), await floats(edit.second)];
  const seconds = (performance.now() - started) / 1000;
  return { seconds, error: distance(values, first, second, out, width, rank), peakBytes: process.resourceUsage().maxRSS * 1024 };
}

async function floats(tensor) {
  const bytes = await tensor.bytes(0, tensor.byteLength);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

/** ||W - second first||, Frobenius. */
function distance(values, first, second, out, width, rank) {
  let sum = 0;
  const row = new Float64Array(width);
  for (let o = 0; o < out; o++) {
    row.fill(0);
    for (let r = 0; r < rank; r++) {
      const by = second[o * rank + r];
      for (let i = 0; i < width; i++) row[i] += by * first[r * width + i];
    }
    for (let i = 0; i < width; i++) sum += (values[o * width + i] - row[i]) ** 2;
  }
  return Math.sqrt(sum);
}

/** Answers a line of JSON with a line of JSON. */
async function serve(threads) {
  const { product } = openProducts(threads);
  for await (const line of createInterface({ input: process.stdin })) {
    const answer = await factored(JSON.parse(line), product);
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

function lines(command, args, threads) {
  const count = String(threads);
  const env = { ...process.env, OMP_NUM_THREADS: count, OPENBLAS_NUM_THREADS: count, MKL_NUM_THREADS: count };
  return startLines(command, args.map(String), env);
}

/** Flat spectra, and trained ones where they are at hand: name and matrices of each kind. */
async function otherKinds() {
  const gauss = (out, width) => {
    const uniform = matrixOf(1, out * width * 2, out + width);
    const scale = i => 0.1 / (1 + (4 * i) / uniform.length);
    const at = i => uniform[i] / scale(i) + 0.5;
    return Float32Array.from(
      { length: out * width },
      (_, i) => Math.sqrt(-2 * Math.log(at(2 * i) || 1e-9)) * Math.cos(2 * Math.PI * at(2 * i + 1)),
    );
  };
  const kinds = [['Gaussian', [768, 3072].flatMap(out => [{ out, width: 768, values: gauss(out, 768) }])]];
  const path = join(import.meta.dirname, '../../../shared/models/minilm/model.safetensors');
  if (!existsSync(path)) return kinds;
  const { model, close } = await openPath(path);
  const trained = [];
  for (const tensor of model.tensors.values())
    if (/layer\.\d+\..*(query|key|value|dense)\.weight$/.test(tensor.name))
      trained.push({ out: tensor.shape[0], width: tensor.shape[1], values: await readFloats(tensor) });
  await close();
  return [...kinds, ['trained (minilm)', trained]];
}

export async function benchFactorize(count = shapes.length, threads = 1) {
  const folder = mkdtempSync(join(tmpdir(), 'headroom-factorize-'));
  const [ours, numpy] = [lines(process.execPath, [self, 'serve', threads], threads), lines(python, ['-c', rival], threads)];
  const sums = { ours: 0, numpy: 0, worst: 0, peak: 0, rivalPeak: 0 };
  const further = [];
  let hasRival = true;
  try {
    for (const [at, [out, width]] of shapes.slice(0, count).entries()) {
      const path = join(folder, 'matrix.f32');
      writeFileSync(path, matrixOf(out, width, at + 1));
      const mine = await ours.ask([out, width, path]);
      sums.ours += mine.seconds;
      sums.peak = mine.peakBytes;
      const theirs = hasRival ? await numpy.ask([out, width, path]).catch(() => undefined) : undefined;
      hasRival = theirs !== undefined;
      if (!theirs) continue;
      sums.numpy += theirs.seconds;
      sums.worst = Math.max(sums.worst, mine.error / theirs.best - 1);
      sums.rivalPeak = theirs.peakBytes;
    }
    for (const [kind, matrices] of hasRival ? await otherKinds() : []) {
      let worst = 0;
      for (const { out, width, values } of matrices) {
        const path = join(folder, 'matrix.f32');
        writeFileSync(path, values);
        const [mine, theirs] = [await ours.ask([out, width, path]), await numpy.ask([out, width, path])];
        worst = Math.max(worst, mine.error / theirs.best - 1);
      }
      further.push(`${kind}, ${matrices.length} matrices: ${(100 * worst).toFixed(4)} %`);
    }
  } finally {
    ours.stop();
    numpy.stop();
    rmSync(folder, { recursive: true });
  }
  console.log(`  headroom: ${sums.ours.toFixed(1)} s`);
  claim('factorize, peak memory', sums.peak, { most: 600e6 }, mb);
  if (!hasRival) return;
  console.log(
    `  numpy.linalg.svd, ${threads === 1 ? 'one thread' : `${threads} threads`}: ${sums.numpy.toFixed(1)} s, peak memory ${mb(sums.rivalPeak)}`,
  );
  claim('factorize / numpy', sums.ours / sums.numpy, { most: 1 / 3 });
  claim('factorize, error beyond the optimum', sums.worst, { most: 0.001 }, number => `${(100 * number).toFixed(4)} %`);
  for (const line of further) console.log(`  ${line}`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [first, second] = process.argv.slice(2);
  if (first === 'serve') await serve(Number(second));
  else await benchFactorize(Number(first ?? shapes.length), Number(second ?? 1));
}
