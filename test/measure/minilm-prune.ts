// Measures pruning of all-MiniLM-L6-v2 and of a classifier made of it: what of the quality is left, seconds, peak memory.
//
//     node test/measure/minilm-prune.ts [SENTENCES] [ROWS]        from the repository, with ../shared beside it
//
// SENTENCES of STS-B's training set without their labels (2,048; drawn with a fixed seed, each once) are the calibration text; ROWS is a
// part of the names of the rows wanted. Judged on STS-B's development set (mean cosine to the original's vectors, Spearman) and on GLUE
// SST-2's. Each row runs in a process of its own; seconds are those of the wall and, in brackets, of two cores' work. Some rows are
// timed too: two threads, batch 8, 128 tokens, in turn with the original.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { timesInTurn } from '../../src/core/evaluation/latency.ts';
import { compress } from '../../src/core/session/compress.ts';
import { createSession } from '../../src/core/session/session.ts';

const shared = resolve(import.meta.dirname, '../../../shared');
const stsb = join(shared, 'third-party/eval/stsb');
const [minilm, sst2] = [join(shared, 'models/minilm'), join(shared, 'models/minilm-sst2')];

interface Row {
  readonly name: string;
  readonly model: string;
  readonly steps: readonly { readonly pass: string; readonly options: Readonly<Record<string, unknown>> }[];
  /** Cosine and points of Spearman lost, or points of accuracy lost. */
  readonly goal: string;
  readonly isTimed?: boolean;
}

const one = (pass: string, options: Readonly<Record<string, unknown>>, goal: string, model = minilm): Row => ({
  name: `${pass} ${JSON.stringify(options)}${model === sst2 ? ' sst2' : ''}`,
  model,
  steps: [{ pass, options }],
  goal,
});

const both = (fraction: number, goal: string): Row => ({
  name: `${fraction} of heads and neurons`,
  model: minilm,
  steps: [
    { pass: 'prune-heads', options: { fraction } },
    { pass: 'prune-neurons', options: { fraction } },
  ],
  goal,
});

const rows: readonly Row[] = [
  one('prune-heads', { fraction: 0.1 }, '0.995, 0.5'),
  one('prune-heads', { fraction: 0.25 }, '0.98, 0.7'),
  one('prune-heads', { fraction: 0.5 }, '0.95, 1.5'),
  one('prune-neurons', { fraction: 0.25 }, '0.97, 0.5'),
  one('prune-neurons', { fraction: 0.5 }, '0.935, 1.0'),
  one('prune-neurons', { fraction: 0.75 }, '0.86, 1.5'),
  one('prune-layers', { count: 1 }, '0.945, 1.0'),
  one('prune-layers', { count: 2 }, '0.895, 2.0'),
  one('prune-heads', { fraction: 0.4, by: 'gradient', repair: 'none' }, '1.0', sst2),
  one('prune-heads', { fraction: 0.6 }, '1.5', sst2),
  both(0.25, 'for comparison'),
  one('prune-to-budget', { keep: 0.75 }, 'no worse than a quarter of both'),
  { ...both(0.5, '1.5 times as fast'), isTimed: true },
  { ...one('prune-to-budget', { keep: 0.5 }, 'no worse than half of both'), isTimed: true },
  { ...one('prune-to-budget', { keep: 0.6, of: 'latency' }, '1.67 times as fast'), isTimed: true },
];

/** Sentences of the training set, each once, in an order that a fixed seed gives. */
function calibration(count: number): string[] {
  const lines = readFileSync(join(stsb, 'stsb-en-train.csv'), 'utf8').split('\n');
  const fields = lines.flatMap(line => line.match(/("([^"]|"")*"|[^,]*)(,|$)/g)?.slice(0, 2) ?? []);
  const plain = fields.map(field => field.replace(/,$/, '').replace(/^"|"$/g, '').replaceAll('""', '"'));
  const all = [...new Set(plain.filter(text => text !== ''))];
  let state = 1;
  for (let i = all.length - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = Math.floor((state / 2 ** 32) * (i + 1));
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all.slice(0, count);
}

async function measure({ name, model, steps, goal, isTimed }: Row, folder: string, texts: string): Promise<void> {
  const path = join(model, 'model.safetensors');
  const out = join(folder, 'out', 'model.safetensors');
  const cpu = process.cpuUsage();
  const report = await compress({ path, out, recipe: { version: 1, steps }, calibration: texts, force: true });
  const { user, system } = process.cpuUsage(cpu);
  const peak = process.resourceUsage().maxRSS / 1e3;
  const dry = await compress({ path, out, recipe: { version: 1, steps }, calibration: texts, force: true, dryRun: true });
  const session = createSession();
  const task =
    model === sst2 ? `sst2:${join(shared, 'third-party/eval/sst2/test.tsv')}` : `stsb:${join(stsb, 'stsb-en-dev.csv')}`;
  const found = await session.evaluate(out, { task, against: path, threads: 2 });
  const values = found.metrics.map(metric => `${metric.name} ${metric.value?.toFixed(2)}`).join(', ');
  console.log(
    `${name}: cosine ${found.drift?.cosineMean?.toFixed(4)}, ${values} (goal ${goal}); ${report.after.parameters} parameters; ` +
      `${report.seconds.toFixed(0)} s (${((user + system) / 2e6).toFixed(0)} s), ${peak.toFixed(0)} MB, dry run ${dry.seconds.toFixed(2)} s`,
  );
  for (const { note } of report.notes ?? []) console.log(`  ${note}`);
  if (isTimed) console.log(`  ${await speedup(path, out, folder)} times as fast`);
}

/** Median time of the first beside the second, both as ONNX: batch 8, 128 tokens, two threads, in turn. */
async function speedup(before: string, after: string, folder: string): Promise<string> {
  const runs: (() => Promise<unknown>)[] = [];
  for (const [index, path] of [before, after].entries()) {
    const onnx = join(folder, `${index}.onnx`);
    await createSession().export(path, onnx);
    const model = await InferenceSession.create(onnx, { intraOpNumThreads: 2 });
    const feed = (of: (i: number) => number) =>
      new Tensor(
        'int64',
        BigInt64Array.from({ length: 8 * 128 }, (_, i) => BigInt(of(i))),
        [8, 128],
      );
    const inputs: Record<string, Tensor> = {
      input_ids: feed(i => 1000 + ((i * 7919) % 20000)),
      attention_mask: feed(() => 1),
      token_type_ids: feed(() => 0),
    };
    const feeds = Object.fromEntries(model.inputNames.map(name => [name, inputs[name]!]));
    runs.push(() => model.run(feeds));
  }
  const [first, second] = (await timesInTurn(runs)).map(times => times.sort((a, b) => a - b)[times.length >> 1]!);
  return (first! / second!).toFixed(2);
}

const [, , count = '2048', wanted = '', only] = process.argv;
if (only === undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'minilm-prune-'));
  try {
    const texts = join(folder, 'texts.txt');
    writeFileSync(texts, calibration(Number(count)).join('\n'));
    for (const { name } of rows.filter(row => row.name.includes(wanted)))
      execFileSync(process.execPath, [import.meta.filename, folder, name, 'only'], { stdio: ['ignore', 'inherit', 'ignore'] });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
} else await measure(rows.find(({ name }) => name === wanted)!, count, join(count, 'texts.txt'));
