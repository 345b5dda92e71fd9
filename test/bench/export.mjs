// A section of the bench: writing minilm's checkpoint as an ONNX model beside copying it, with the files that both carry along, flushed to
// the disk the same way; in a ready process, and as whole processes. Run alone: node test/bench/export.mjs
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { claim } from './measure.mjs';

const here = name => fileURLToPath(new URL(name, import.meta.url));
const minilm = here('../../../shared/models/minilm');
const source = join(minilm, 'model.safetensors');
const cli = here('../../dist/cli.js');

export async function benchExport(folder, runs) {
  if (!existsSync(source)) return console.log('  skipped: no trained models');
  const into = join(folder, 'export');
  const { createSession } = await import('../../src/core/session/session.ts');
  const session = createSession();
  const sides = {
    'headroom export': () => session.export(minilm, `${into}/`),
    'a copy of the checkpoint': () => copyFolder(minilm, into),
  };
  await compare('in a ready process', sides, into, runs);
  if (!existsSync(cli)) return console.log('  whole processes skipped: no dist/cli.js (npm run build)');
  const whole = {
    'headroom export': () => must(spawnSync(process.execPath, [cli, 'export', minilm, '--out', `${into}/`])),
    'a copy by Node': () => must(spawnSync(process.execPath, [here('./export.mjs'), 'copy', minilm, into])),
  };
  await compare('whole processes', whole, into, runs);
}

/** Each in turn, into a folder that is empty each time; the first round warms up. */
async function compare(title, sides, into, runs) {
  const seconds = Object.keys(sides).map(() => []);
  for (let run = 0; run <= runs; run++)
    for (const [index, side] of Object.values(sides).entries()) {
      rmSync(into, { recursive: true, force: true });
      mkdirSync(into, { recursive: true });
      const start = performance.now();
      await side();
      if (run > 0) seconds[index].push((performance.now() - start) / 1000);
    }
  rmSync(into, { recursive: true, force: true });
  const [ours, copies] = seconds.map(each => [...each].sort((a, b) => a - b));
  const middle = sorted => sorted[sorted.length >> 1];
  const ms = value => `${(1000 * value).toFixed(0)} ms`;
  for (const [index, name] of Object.keys(sides).entries()) {
    const sorted = [ours, copies][index];
    console.log(`  ${title}, ${name}: ${ms(middle(sorted))}  [${ms(sorted[0])} to ${ms(sorted.at(-1))}]`);
  }
  claim(`${title}, export / copy`, middle(ours) / middle(copies), { most: 1.5 });
  claim(`${title}, export / copy, of the fastest runs`, ours[0] / copies[0]);
}

/** The model and the files that an export carries along: config, tokenizer, what says how sentences are pooled. */
async function copyFolder(from, to) {
  const files = readdirSync(from, { recursive: true }).filter(name => /\.(json|txt|safetensors)$/.test(name));
  for (const name of files) {
    mkdirSync(dirname(join(to, name)), { recursive: true });
    await copyDurably(join(from, name), join(to, name));
  }
}

/** As the writer does it: 4 MiB at a time, to a name of its own, flushed, renamed. */
async function copyDurably(from, to) {
  const [input, output] = [await open(from), await open(`${to}.tmp`, 'w')];
  const buffer = Buffer.allocUnsafe(4 * 1024 * 1024);
  for (;;) {
    const { bytesRead } = await input.read(buffer, 0, buffer.length);
    if (bytesRead === 0) break;
    await output.write(buffer, 0, bytesRead);
  }
  await output.sync();
  await Promise.all([input.close(), output.close()]);
  await rename(`${to}.tmp`, to);
}

function must(result) {
  if (result.status !== 0) throw new Error(String(result.stderr || result.error));
  return result;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , verb, from, to] = process.argv;
  if (verb === 'copy') await copyFolder(from, to);
  else {
    const folder = mkdtempSync(join(tmpdir(), 'headroom-bench-export-'));
    console.log(`minilm, ${(statSync(source).size / 1e6).toFixed(1)} MB, Node ${process.version}`);
    await benchExport(folder, 9);
    rmSync(folder, { recursive: true, force: true });
  }
}
