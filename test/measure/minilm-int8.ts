// Measures int8 on all-MiniLM-L6-v2: bytes of the file, cosine of sentence vectors to the original's, time of a run.
//
//     node test/measure/minilm-int8.ts [SENTENCES] [OPTIONS] [TEXT]        from the repository, with ../shared beside it
//
// OPTIONS of the quantize pass as JSON: '{"activation_bits":8}'; TEXT is a file to calibrate on, one sentence a line.
//
// Sentences: the first of STS-B's development set, each alone; vectors: mean over the tokens of the mask; onnxruntime-node, 2 threads.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { compress } from '../../src/core/session/compress.ts';

const shared = resolve(import.meta.dirname, '../../../shared');
const folder = join(shared, 'models/minilm');
const count = Number(process.argv[2] ?? 512);
const options = JSON.parse(process.argv[3] ?? '{}');
const calibration = process.argv[4];

const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
const tokenizer = new Tokenizer(read('tokenizer.json'), read('tokenizer_config.json'));
const sentences = readFileSync(join(shared, 'third-party/eval/stsb/stsb-en-dev.csv'), 'utf8')
  .split('\n')
  .filter(line => line !== '')
  .map(line => (line.startsWith('"') ? line.slice(1, line.indexOf('"', 1)) : line.slice(0, line.indexOf(','))))
  .slice(0, count);

async function vectors(path: string): Promise<{ vectors: Float64Array[]; medianMs: number }> {
  const session = await InferenceSession.create(path, { intraOpNumThreads: 2, logSeverityLevel: 3 });
  const found: Float64Array[] = [];
  const times: number[] = [];
  for (const sentence of sentences) {
    const ids = tokenizer.encode(sentence).ids;
    const feed = (of: (id: number) => number) =>
      new Tensor(
        'int64',
        BigInt64Array.from(ids, id => BigInt(of(id))),
        [1, ids.length],
      );
    const inputs: Record<string, Tensor> = {
      input_ids: feed(id => id),
      attention_mask: feed(() => 1),
      token_type_ids: feed(() => 0),
    };
    const feeds = Object.fromEntries(session.inputNames.map(name => [name, inputs[name]!]));
    const started = performance.now();
    const output = (await session.run(feeds))[session.outputNames[0]!]!;
    times.push(performance.now() - started);
    found.push(meanOf(output.data as Float32Array, ids.length));
  }
  await session.release();
  return { vectors: found, medianMs: times.sort((a, b) => a - b)[times.length >> 1]! };
}

function meanOf(states: Float32Array, tokens: number): Float64Array {
  const width = states.length / tokens;
  const mean = new Float64Array(width);
  for (let i = 0; i < states.length; i++) mean[i % width]! += states[i]! / tokens;
  return mean;
}

function cosine(a: Float64Array, b: Float64Array): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! * a[i]!;
    bb += b[i]! * b[i]!;
  }
  return ab / Math.sqrt(aa * bb);
}

const temporary = mkdtempSync(join(tmpdir(), 'minilm-int8-'));
try {
  execFileSync(process.execPath, [join(folder, 'make-onnx.mjs'), temporary]);
  for (const exporter of ['torchscript', 'dynamo']) {
    const path = join(temporary, `minilm.${exporter}.onnx`);
    const out = join(temporary, `${exporter}.int8.onnx`);
    for (const name of ['tokenizer.json', 'tokenizer_config.json', 'config.json'])
      copyFileSync(join(folder, name), join(temporary, name));
    const recipe = { version: 1, steps: [{ pass: 'quantize', options }] } as const;
    const report = await compress({ path, out, force: true, recipe, ...(calibration && { calibration }) });
    const before = await vectors(path);
    const after = await vectors(out);
    const cosines = before.vectors.map((vector, i) => cosine(vector, after.vectors[i]!));
    const mean = cosines.reduce((sum, value) => sum + value, 0) / cosines.length;
    console.log(
      `${exporter} ${JSON.stringify(options)}: ${(report.after.fileBytes / 1e6).toFixed(2)} MB in ${report.seconds.toFixed(2)} s; ` +
        `cosine mean ${mean.toFixed(5)} min ${Math.min(...cosines).toFixed(5)} over ${count} sentences; ` +
        `${before.medianMs.toFixed(1)} ms before, ${after.medianMs.toFixed(1)} ms after`,
    );
  }
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
