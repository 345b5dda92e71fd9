// Measures factorize, factorize-embeddings and share-layers on all-MiniLM-L6-v2: bytes of the checkpoint, mean cosine of sentence vectors
// to the original's, Spearman on STS-B's development set, time and peak memory of the compression.
//
//     node test/measure/minilm-lowrank.ts [TEXT] [PATTERN]        from the repository, with ../shared beside it
//
// TEXT: calibration sentences, one a line (default: the first 2,048 different ones of STS-B's training set). PATTERN: of rows to measure.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Step } from '../../src/core/passes/pass.ts';
import { compress } from '../../src/core/session/compress.ts';
import { evaluate } from '../../src/core/session/evaluate.ts';

const shared = resolve(import.meta.dirname, '../../../shared');
const path = join(shared, 'models/minilm');
const stsb = join(shared, 'third-party/eval/stsb');
const folder = mkdtempSync(join(tmpdir(), 'minilm-lowrank-'));
const pattern = new RegExp(process.argv[3] ?? '');

interface Row {
  readonly name: string;
  readonly steps: readonly Step[];
  /** At least this cosine; at most this loss of Spearman, in points. */
  readonly cosine?: number;
  readonly loss?: number;
  readonly format?: 'onnx';
}

const factorize = (options: Record<string, unknown>): readonly Step[] => [{ pass: 'factorize', options }];
const table = (rank: number, method = 'weighted'): Step => ({ pass: 'factorize-embeddings', options: { rank, method } });

const rows: readonly Row[] = [
  { name: 'encoder 0.8', steps: factorize({ ratio: 0.8, method: 'whitened' }), cosine: 0.885, loss: 1 },
  { name: 'encoder 0.6', steps: factorize({ ratio: 0.6, method: 'whitened' }), cosine: 0.815, loss: 1.5 },
  { name: 'encoder 0.4', steps: factorize({ ratio: 0.4, method: 'whitened' }), cosine: 0.725, loss: 3 },
  {
    name: 'encoder 0.6, global',
    steps: factorize({ ratio: 0.6, method: 'whitened', allocation: 'global' }),
    cosine: 0.815,
    loss: 1.5,
  },
  { name: 'encoder 0.6, plain', steps: factorize({ ratio: 0.6 }) },
  ...[24, 16, 8].map(
    (rank): Row => ({ name: `query and key ${rank} wide`, steps: factorize({ method: 'query-key', rank }), format: 'onnx' }),
  ),
  { name: 'encoder 0.6, blocks and a thin pair', steps: factorize({ ratio: 0.6, method: 'block-diagonal' }), format: 'onnx' },
  { name: 'encoder 0.6, Kronecker', steps: factorize({ ratio: 0.6, method: 'kronecker' }), format: 'onnx' },
  { name: 'embeddings 192', steps: [table(192)], cosine: 0.975, loss: 0.5 },
  { name: 'embeddings 128', steps: [table(128)], cosine: 0.94, loss: 0.5 },
  { name: 'embeddings 64', steps: [table(64)], cosine: 0.79, loss: 1.5 },
  { name: 'embeddings 128, plain', steps: [table(128, 'svd')] },
  {
    name: 'chain: embeddings 192, int8',
    steps: [table(192), { pass: 'quantize', options: { scheme: 'int8' } }],
    format: 'onnx',
  },
  ...[2, 3].flatMap((size): Row[] => [
    { name: `share ${size}, mean`, steps: [{ pass: 'share-layers', options: { size } }], format: 'onnx' },
    // As many parameters as one set for each group.
    {
      name: `share ${size}, basis, ${(1 / size).toFixed(2)}`,
      steps: [{ pass: 'share-layers', options: { size, method: 'basis', ratio: 1 / size } }],
      format: 'onnx',
    },
    {
      name: `share ${size}, basis, 0.8`,
      steps: [{ pass: 'share-layers', options: { size, method: 'basis', ratio: 0.8 } }],
      format: 'onnx',
    },
  ]),
];

/** The first 2,048 different sentences, without labels. */
function trainingText(): string {
  const file = join(stsb, 'stsb-en-train.csv');
  const sentences = readFileSync(file, 'utf8')
    .split('\n')
    .flatMap(line => line.match(/(?:"(?:[^"]|"")*"|[^,])+/g)?.slice(0, 2) ?? []);
  const text = join(folder, 'text.txt');
  const plain = sentences.map(sentence => sentence.replace(/^"|"$/g, '').replaceAll('""', '"'));
  writeFileSync(text, [...new Set(plain)].slice(0, 2048).join('\n'));
  return text;
}

const task = `stsb:${join(stsb, 'stsb-en-dev.csv')}`;
const spearman = (metrics: readonly { readonly name: string; readonly value: number | null }[]) =>
  metrics.find(({ name }) => name === 'spearman')?.value ?? Number.NaN;

try {
  const text = process.argv[2] && existsSync(process.argv[2]) ? process.argv[2] : trainingText();
  const original = spearman((await evaluate(path, { task })).metrics);
  console.log(`original: Spearman ${original.toFixed(2)}`);
  for (const { name, steps, cosine, loss, format = 'safetensors' } of rows) {
    if (!pattern.test(name)) continue;
    const out = join(folder, `${name.replace(/\W+/g, '-')}/model.${format}`);
    const report = await compress({ path, out, recipe: { version: 1, steps }, calibration: text });
    const { metrics, drift } = await evaluate(out, { task, against: path });
    const found = drift?.cosineMean ?? Number.NaN;
    const lost = original - spearman(metrics);
    console.log(
      `${name}: ${(report.after.fileBytes / 1e6).toFixed(1)} MB, cosine ${found.toFixed(4)}${cosine ? ` (at least ${cosine})` : ''}, ` +
        `Spearman ${spearman(metrics).toFixed(2)}, lost ${lost.toFixed(2)}${loss ? ` (at most ${loss})` : ''}, ` +
        `${report.seconds.toFixed(0)} s, peak ${(report.peakBytes / 1e6).toFixed(0)} MB`,
    );
    rmSync(resolve(out, '..'), { recursive: true });
  }
} finally {
  rmSync(folder, { recursive: true });
}
