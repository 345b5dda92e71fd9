import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createSession } from '../../src/core/session/session.ts';

const shared = resolve(import.meta.dirname, '../../../shared');
const source = join(shared, 'models/minilm');
const task = `stsb:${join(shared, 'third-party/eval/stsb/stsb-en-dev.csv')}`;

/** all-MiniLM-L6-v2 as a graph and as a checkpoint in a folder of its own, which the caller removes. */
export function minilm() {
  const folder = mkdtempSync(join(tmpdir(), 'headroom-minilm-'));
  execFileSync(process.execPath, [join(source, 'make-onnx.mjs'), folder]);
  for (const name of ['model.safetensors', 'tokenizer.json', 'tokenizer_config.json', 'config.json', 'vocab.txt'])
    copyFileSync(join(source, name), join(folder, name));
  const session = createSession();
  return {
    folder,
    graph: join(folder, 'minilm.torchscript.onnx'),
    checkpoint: join(folder, 'model.safetensors'),
    /** Quantizes and evaluates on all of STS-B's development set, against the original. */
    async measure(path: string, out: string, options: Readonly<Record<string, unknown>>, text: string) {
      const started = performance.now();
      const cpu = process.cpuUsage();
      const recipe = { version: 1, steps: [{ pass: 'quantize', options }] } as const;
      const { after, notes } = await session.compress({
        path,
        out,
        recipe,
        force: true,
        ...(text !== '' && { calibration: text }),
      });
      const wall = (performance.now() - started) / 1000;
      const { user, system } = process.cpuUsage(cpu);
      const { metrics, drift } = await session.evaluate(out, { against: path, task });
      const spearman = metrics.find(({ name }) => name === 'spearman')?.value ?? Number.NaN;
      const parts = [
        `${(after.fileBytes / 1e6).toFixed(2)} MB`,
        `cosine ${drift!.cosineMean!.toFixed(4)}`,
        `Spearman ${spearman.toFixed(2)}`,
        `${wall.toFixed(1)} s (${((user + system) / 1e6).toFixed(1)} s of processors)`,
        ...(notes ?? []).map(({ note }) => note),
      ];
      return { fileBytes: after.fileBytes, line: parts.join('; ') };
    },
  };
}
