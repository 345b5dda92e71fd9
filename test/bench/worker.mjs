// Headroom's side of the bench: one JSON request a line, one JSON answer a line.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createSession } from '../../src/core/session/session.ts';

const session = createSession();
const bytesRead = () => {
  try {
    return Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))[1]);
  } catch {
    return Number.NaN;
  }
};

/** Loads all that compressing takes: a ready process is what is measured, as the engine of the editor is one. */
async function getReady() {
  const folder = mkdtempSync(join(tmpdir(), 'headroom-ready-'));
  const path = fileURLToPath(new URL('../../media/sample/model.onnx', import.meta.url));
  for (const scheme of ['int8', 'int8-dynamic'])
    await session.compress({
      path,
      out: join(folder, `${scheme}.onnx`),
      recipe: { version: 1, steps: [{ pass: 'quantize', options: { scheme } }] },
    });
  rmSync(folder, { recursive: true });
}

let isReady = false;

async function answer(request) {
  if (request.do !== 'inspect' && !isReady) await getReady();
  isReady = true;
  const [start, before] = [performance.now(), bytesRead()];
  if (request.do === 'inspect') await session.inspect(request.path);
  else
    await session.compress({
      path: request.path,
      out: request.out,
      recipe: { version: 1, steps: [{ pass: 'quantize', options: { scheme: request.scheme } }] },
    });
  return {
    seconds: (performance.now() - start) / 1000,
    bytesRead: bytesRead() - before,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  const reply = await answer(JSON.parse(line)).catch(error => ({ error: String(error?.stack ?? error) }));
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
