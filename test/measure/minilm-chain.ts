// Measures chains of methods on all-MiniLM-L6-v2: bytes of the whole ONNX file, mean cosine of sentence vectors to the original's, and
// Spearman on STS-B's development set; time and peak memory of the compression.
//
//     node test/measure/minilm-chain.ts TEXT [PATTERN]        from the repository, with ../shared beside it
//
// TEXT: calibration sentences, one a line (at most 2,048 sentences of STS-B's training set, no labels). PATTERN: of rows to measure.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Step } from '../../src/core/passes/pass.ts';
import { createSession } from '../../src/core/session/session.ts';

const shared = resolve(import.meta.dirname, '../../../shared');
const source = join(shared, 'models/minilm');
const task = `stsb:${join(shared, 'third-party/eval/stsb/stsb-en-dev.csv')}`;
const [text = '', pattern = ''] = process.argv.slice(2);

interface Row {
  readonly name: string;
  readonly steps: readonly Step[];
  /** At most so many MB; at least this cosine; at most this loss of Spearman, in points. */
  readonly megabytes?: number;
  readonly cosine?: number;
  readonly loss?: number;
}

const table = (rank: number): Step => ({ pass: 'factorize-embeddings', options: { rank, method: 'weighted' } });
const int4 = (options: Record<string, unknown> = {}): Step => ({
  pass: 'quantize',
  options: { scheme: 'int4', rounding: 'gptq', embedding_bits: 4, ...options },
});
const neurons = (fraction: number): Step => ({
  pass: 'prune-neurons',
  options: { fraction, by: 'reconstruction', repair: 'least-squares' },
});
const heads = (fraction: number): Step => ({
  pass: 'prune-heads',
  options: { fraction, by: 'reconstruction', repair: 'least-squares' },
});

const rows: readonly Row[] = [
  { name: 'embeddings 256, int4', steps: [table(256), int4()], megabytes: 11.1, cosine: 0.98, loss: 0.5 },
  { name: 'embeddings 192, int4', steps: [table(192), int4()], megabytes: 9.8, cosine: 0.97, loss: 0.5 },
  { name: 'embeddings 128, int4', steps: [table(128), int4()], megabytes: 8.5, cosine: 0.955, loss: 0.5 },
  {
    name: 'heads 25 %, neurons 25 %, int8',
    steps: [heads(0.25), neurons(0.25), { pass: 'quantize', options: { scheme: 'int8' } }],
  },
  // What 8 MB hold.
  { name: 'embeddings 128, blocks of 128', steps: [table(128), int4({ block_size: 128 })], megabytes: 8.2 },
  { name: 'embeddings 160, neurons 25 %, int4', steps: [table(160), neurons(0.25), int4({ block_size: 128 })], megabytes: 8.2 },
  {
    name: 'embeddings 160, encoder 0.75, int4',
    steps: [table(160), { pass: 'factorize', options: { ratio: 0.75, method: 'whitened' } }, int4({ block_size: 128 })],
    megabytes: 8.2,
  },
];

const folder = mkdtempSync(join(tmpdir(), 'minilm-chain-'));
const path = join(folder, 'minilm.torchscript.onnx');
const out = join(folder, 'out.onnx');
const session = createSession();
const spearman = (metrics: readonly { readonly name: string; readonly value: number | null }[]): number =>
  metrics.find(({ name }) => name === 'spearman')?.value ?? Number.NaN;
const bound = (word: string, value: number | undefined): string => (value === undefined ? '' : ` (${word} ${value})`);

try {
  execFileSync(process.execPath, [join(source, 'make-onnx.mjs'), folder]);
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'config.json', 'vocab.txt'])
    copyFileSync(join(source, name), join(folder, name));
  const original = spearman((await session.evaluate(path, { task })).metrics);
  console.log(`original: Spearman ${original.toFixed(2)}`);
  for (const { name, steps, megabytes, cosine, loss } of rows) {
    if (!new RegExp(pattern).test(name)) continue;
    const report = await session.compress({ path, out, recipe: { version: 1, steps }, force: true, calibration: text });
    const { metrics, drift } = await session.evaluate(out, { task, against: path });
    const found = spearman(metrics);
    console.log(
      `${name}: ${(report.after.fileBytes / 1e6).toFixed(2)} MB${bound('at most', megabytes)}, ` +
        `cosine ${(drift?.cosineMean ?? Number.NaN).toFixed(4)}${bound('at least', cosine)}, ` +
        `Spearman ${found.toFixed(2)}, lost ${(original - found).toFixed(2)}${bound('at most', loss)}, ` +
        `${report.seconds.toFixed(0)} s, peak ${(report.peakBytes / 1e6).toFixed(0)} MB`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
