// Headroom's side of the bench: one JSON request a line, one JSON answer a line.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createSession } from '../../src/core/session/session.ts';

const session = createSession();
const bytesRead = () => {
  try {
    return Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))[1]);
  } catch {
    return Number.NaN;
  }
};

async function answer(request) {
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
