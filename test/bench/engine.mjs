// The product's own engine process as the editor starts it: what the sections about inspecting and compressing measure.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Engine } from '../../src/host/engine.ts';
import { peakOf } from './measure.mjs';

const modulePath = fileURLToPath(new URL('../../dist/engine.mjs', import.meta.url));
const sample = fileURLToPath(new URL('../../media/sample/model.onnx', import.meta.url));

/** Why nothing can be measured, if so. */
export const missingEngine = existsSync(modulePath) ? undefined : 'there is no dist/engine.mjs: npm run build';

/** A new engine. `quantize` writes a file and tells seconds, peak memory of the process and bytes written. */
export function startEngine() {
  const engine = new Engine({ modulePath, memoryMegabytes: () => 2048, log: () => {}, removeLeftovers: async () => {} });
  const timed = async work => {
    const [start, before] = [performance.now(), bytesRead(engine.pid)];
    const answer = await work();
    const seconds = (performance.now() - start) / 1000;
    return {
      seconds,
      bytesRead: bytesRead(engine.pid) - before,
      peakBytes: peakOf(engine.pid) ?? answer.peakBytes,
      outBytes: answer.after?.fileBytes,
    };
  };
  const quantize = (path, out, options) => {
    rmSync(out, { force: true });
    const recipe = { version: 1, steps: [{ pass: 'quantize', options }] };
    return timed(() => engine.api.compress({ path, out, recipe }));
  };
  return {
    inspect: path => timed(() => engine.api.inspect(path)),
    quantize,
    /** Has all that quantizing takes loaded, by doing it once with a small model: a ready process is what is measured. */
    async makeReady(options) {
      const folder = mkdtempSync(join(tmpdir(), 'headroom-ready-'));
      await quantize(sample, join(folder, 'out.onnx'), options);
      rmSync(folder, { recursive: true });
    },
    stop: () => engine.dispose(),
  };
}

function bytesRead(pid) {
  try {
    return Number(/rchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))[1]);
  } catch {
    return Number.NaN;
  }
}
