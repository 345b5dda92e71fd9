// `node test/bench/size.mjs`: what opening large files takes, each in a process of its own and then again in the same, warm.
// Bars: under 0.5 s and 200 MB for 5 GB and for 50,000 tensors; three million nodes get an answer in 2 s and 1 GiB.
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { peakOf } from './measure.mjs';

const folder = process.env.HEADROOM_BENCH_FOLDER ?? join(tmpdir(), 'headroom-bench-size');
const [chosen, path] = process.argv.slice(2);

if (path) await measure(path);
else {
  const { sizes } = await import('./size-files.mjs');
  for (const [what, make] of Object.entries(sizes)) {
    if (chosen && !what.includes(chosen)) continue;
    const file = make(folder);
    const { stdout } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), 'measure', file], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    console.log(`${what.padEnd(40)} ${stdout.trim()}`);
  }
}

async function measure(file) {
  const { openPath } = await import('../../src/core/session/open.ts');
  const { summarize } = await import('../../src/core/report/summary.ts');
  const resident = () => peakOf('self') ?? process.resourceUsage().maxRSS * 1024;
  const empty = resident();
  const once = async () => {
    const start = performance.now();
    try {
      const opened = await openPath(file);
      const openMs = performance.now() - start;
      const summary = summarize(opened.model, opened.anatomy);
      const totalMs = performance.now() - start;
      await opened.close();
      return { openMs, totalMs, summary };
    } catch (error) {
      return { totalMs: performance.now() - start, code: error.code ?? error.stack };
    }
  };
  const first = await once();
  const peak = resident();
  const warm = [await once(), await once()].at(-1);
  const ms = value => `${value.toFixed(0)} ms`;
  const mb = value => `${(value / 1e6).toFixed(1)} MB`;
  const json = first.summary && JSON.stringify(first.summary).length;
  console.log(
    `cold ${ms(first.totalMs)}${first.openMs ? ` (open and detect ${ms(first.openMs)})` : ''}, warm ${ms(warm.totalMs)}, peak ${mb(peak)} of which ${mb(empty)} before` +
      (json ? `, summary ${mb(json)} of JSON, ${first.summary.model.layers} layers` : `, ${first.code}`),
  );
}
