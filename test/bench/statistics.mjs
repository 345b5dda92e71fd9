// The statistics of all tensors of a file against reading that file once, in the same process, in turn, with the file in the system's cache.
// `npm run bench` runs it as one of its sections; alone: node test/bench/statistics.mjs FILE
import { open, readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { createSession } from '../../src/core/session/session.ts';
import { claim, median } from './measure.mjs';

const CHUNK = 1024 * 1024;

/** Into one buffer of 1 MiB that stays in the processor's cache: nothing that keeps what it reads is faster. */
async function readOnce(path) {
  const file = await open(path);
  const { size } = await file.stat();
  const into = new Uint8Array(CHUNK);
  for (let at = 0; at < size; at += CHUNK) await file.read(into, 0, Math.min(CHUNK, size - at), at);
  await file.close();
}

const timed = async work => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};

export async function benchStatistics(path, runs) {
  const session = createSession();
  const work = {
    'inspect with statistics': () => session.inspect(path, { stats: true }),
    'reading the file into memory (readFile)': () => readFile(path),
    'reading the file through a buffer of 1 MiB': () => readOnce(path),
  };
  const names = Object.keys(work);
  const times = names.map(() => []);
  for (let run = -1; run < runs; run++)
    for (const [i, name] of names.entries()) {
      const time = await timed(work[name]);
      if (run >= 0) times[i].push(time);
    }
  const [ours, whole, streamed] = times.map(median);
  for (const [i, name] of names.entries()) {
    const [least, most] = [Math.min(...times[i]), Math.max(...times[i])].map(time => time.toFixed(0));
    console.log(`  ${name}: ${median(times[i]).toFixed(0)} ms  [${least} to ${most} ms]`);
  }
  claim('statistics / reading into memory', ours / whole, { most: 2.5 });
  claim('statistics / reading through a buffer', ours / streamed);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await benchStatistics(process.argv[2], 5);
