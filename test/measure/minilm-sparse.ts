// Measures prune-weights on all-MiniLM-L6-v2, judged on STS-B dev: half of the encoder's weights, and 2:4, by each method.
//
//     node test/measure/minilm-sparse.ts TEXT [BY …]        from the repository, with ../shared beside it
//
// TEXT: calibration sentences, a line each (512 to 2,048 of STS-B train, without labels). BY: magnitude, wanda, sparsegpt, reweighted.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createSession } from '../../src/core/session/session.ts';

const [calibration, ...chosen] = process.argv.slice(2);
if (!calibration) throw new Error('give a text file, a sentence a line');
const methods = chosen.length > 0 ? chosen : ['magnitude', 'wanda', 'sparsegpt', 'reweighted'];
const shared = resolve(import.meta.dirname, '../../../shared');
const path = join(shared, 'models/minilm');
const task = `stsb:${join(shared, 'third-party/eval/stsb/stsb-en-dev.csv')}`;
const session = createSession();
const temporary = mkdtempSync(join(tmpdir(), 'minilm-sparse-'));
try {
  for (const pattern of ['unstructured', '2:4'])
    for (const by of methods) {
      const out = join(temporary, `${by}-${pattern.replace(':', '')}`, 'model.safetensors');
      const options = { by, pattern, store: 'bitmap' };
      const recipe = { version: 1, steps: [{ pass: 'prune-weights', options }] } as const;
      const { after, seconds, peakBytes } = await session.compress({ path, out, recipe, calibration });
      const { metrics, drift } = await session.evaluate(out, { task, against: path });
      const spearman = metrics!.find(({ name }) => name === 'spearman')?.value;
      console.log(
        `${pattern} ${by}: Spearman ${spearman?.toFixed(2)}, mean cosine ${drift?.cosineMean?.toFixed(4)}, ` +
          `${(after.fileBytes / 1e6).toFixed(1)} MB as a bitmap, ${seconds.toFixed(0)} s, peak ${(peakBytes / 1e6).toFixed(0)} MB`,
      );
      rmSync(join(out, '..'), { recursive: true });
    }
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
