// The best factors of rank half of full for all 72 matrices of BERT-base's shapes, against numpy's svd with one thread, matrix by matrix
// in turn, in a process each. `npm run bench` runs it as one of its sections; alone: node test/bench/factorize.mjs [MATRICES]
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { held } from '../../src/core/passes/computed.ts';
import { plainFactors } from '../../src/core/passes/factorize/plain.ts';
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

async function factored([out, width, path]) {
  const bytes = readFileSync(path);
  const values = new Float32Array(bytes.buffer, bytes.byteOffset, out * width);
  const weight = held('weight', 'fp32', [out, width], values);
  const linear = { id: 'matrix', weight, out, in: width, transposed: false, form: 'dense', nodes: [] };
  const rank = Math.min(out, width) / 2;
  const started = performance.now();
  const edit = plainFactors(linear, rank);
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
async function serve() {
  for await (const line of createInterface({ input: process.stdin })) {
    const answer = await factored(JSON.parse(line));
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

export async function benchFactorize(count = shapes.length) {
  const folder = mkdtempSync(join(tmpdir(), 'headroom-factorize-'));
  const oneThread = { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', MKL_NUM_THREADS: '1' };
  const ours = startLines(process.execPath, [self, 'serve'], oneThread);
  const numpy = startLines(python, ['-c', rival], oneThread);
  const sums = { ours: 0, numpy: 0, worst: 0, peak: 0, rivalPeak: 0 };
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
  } finally {
    ours.stop();
    numpy.stop();
    rmSync(folder, { recursive: true });
  }
  console.log(`  headroom: ${sums.ours.toFixed(1)} s`);
  claim('factorize, peak memory', sums.peak, { most: 600e6 }, mb);
  if (!hasRival) return;
  console.log(`  numpy.linalg.svd, one thread: ${sums.numpy.toFixed(1)} s, peak memory ${mb(sums.rivalPeak)}`);
  claim('factorize / numpy', sums.ours / sums.numpy, { most: 1 / 3 });
  claim('factorize, error beyond the optimum', sums.worst, { most: 0.001 }, number => `${(100 * number).toFixed(4)} %`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  if (process.argv[2] === 'serve') await serve();
  else await benchFactorize(Number(process.argv[2] ?? shapes.length));
}
