// Measures prune-hidden on all-MiniLM-L6-v2: parameters, mean cosine to the original's vectors and Spearman on STS-B's development set.
//
//     node test/measure/minilm-hidden.ts TEXT [ROWS]        from the repository, with ../shared beside it
//
// TEXT is the calibration text, one sentence a line; ROWS is a part of the names of the rows wanted. By PCA refitted, with means folded only,
// and bare; beside them the channels with the largest weights.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { compress } from '../../src/core/session/compress.ts';
import { createSession } from '../../src/core/session/session.ts';

const shared = resolve(import.meta.dirname, '../../../shared');
const path = join(shared, 'models/minilm/model.safetensors');
const task = `stsb:${join(shared, 'third-party/eval/stsb/stsb-en-dev.csv')}`;
const [text, wanted = ''] = process.argv.slice(2);
if (!text) throw new Error('give a text file, one sentence a line');

const ways = [
  { by: 'pca', repair: 'least-squares' },
  { by: 'pca', repair: 'bias' },
  { by: 'pca', repair: 'none' },
  { by: 'magnitude', repair: 'least-squares' },
  { by: 'magnitude', repair: 'none' },
];
const rows = [346, 288, 192].flatMap(hidden => ways.map(way => ({ hidden, ...way })));

const folder = mkdtempSync(join(tmpdir(), 'minilm-hidden-'));
const out = join(folder, 'model.safetensors');
try {
  for (const options of rows) {
    if (!JSON.stringify(options).includes(wanted)) continue;
    const recipe = { version: 1, steps: [{ pass: 'prune-hidden', options }] } as const;
    const cpu = process.cpuUsage();
    const { before, after, seconds } = await compress({ path, out, recipe, calibration: text, force: true });
    const { user, system } = process.cpuUsage(cpu);
    const found = await createSession().evaluate(out, { task, against: path, threads: 2 });
    const values = found.metrics.map(({ name, value }) => `${name} ${value?.toFixed(2)}`).join(', ');
    console.log(
      `${JSON.stringify(options)}: cosine ${found.drift?.cosineMean?.toFixed(4)}, ${values}; ${(after.parameters / before.parameters).toFixed(3)} of the parameters, ${(after.byteLength / 1e6).toFixed(1)} MB; ${seconds.toFixed(0)} s (${((user + system) / 2e6).toFixed(0)} s)`,
    );
  }
} finally {
  rmSync(folder, { recursive: true });
}
