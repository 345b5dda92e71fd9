import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { HeadroomError } from '../../../src/core/errors.ts';
import { feeds, inputsOf } from '../../../src/core/evaluation/inputs.ts';
import { onnxRuntime } from '../../../src/core/evaluation/onnxruntime.ts';
import { evaluate } from '../../../src/core/session/evaluate.ts';

const root = resolve(import.meta.dirname, '../../..');
const shared = resolve(root, '../shared');
const sample = join(root, 'media/sample/model.onnx');
const unless = (path: string): string | false => (existsSync(join(shared, path)) ? false : `skipped: no ${path}`);
const scratch = mkdtempSync(join(tmpdir(), 'headroom-evaluate-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(scratch, name);
  writeFileSync(path, content);
  return path;
}

const failsWith = (code: string, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof HeadroomError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, words);
  return true;
};

test('tribuo’s BERT gives its published vectors within 1e-5', {
  skip: unless('third-party/folders/tribuo-tinybert'),
}, async () => {
  const folder = join(shared, 'third-party/folders/tribuo-tinybert');
  const published = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'));
  const runner = await (await onnxRuntime()).load(join(folder, 'model.onnx'), 1);
  const row = { ids: published.input_ids as number[], types: (published.input_ids as number[]).map(() => 0) };
  const results = await runner.run(feeds(inputsOf(runner), [row], 0, 0).feeds, ['output_0']);
  await runner.close();
  const { data } = results.get('output_0')!;
  const expected = (published.output_0_tokens as number[][]).flat();
  assert.equal(data.length, expected.length);
  assert.ok(data.every((value, index) => Math.abs(value - expected[index]!) < 1e-5));
});

test('the sample is right on 708 of the 872 sentences of SST-2 dev', { skip: unless('third-party/eval/sst2') }, async () => {
  const { metrics, latency, drift, memoryBytes, loadMs, multiplyAdds } = await evaluate(sample, {
    task: `sst2:${join(shared, 'third-party/eval/sst2/test.tsv')}`,
    threads: 1,
  });
  const accuracy = metrics.find(it => it.name === 'accuracy')!;
  assert.equal(accuracy.count, 872);
  assert.equal(Math.round((accuracy.value! * accuracy.count) / 100), 708);
  assert.deepEqual([latency.threads, latency.batch, latency.length, drift], [1, 1, 128, null]);
  assert.ok(memoryBytes! > 1e6 && memoryBytes! < 1e9, String(memoryBytes));
  assert.ok(loadMs > 0 && multiplyAdds! > 1e8);
  assert.ok(latency.medianMs > 0 && latency.medianMs <= latency.p90Ms);
});

test('a model against itself: cosine 1 within 1e-9, no difference, every prediction the same, nothing moved', async () => {
  const task = `text:${file('same.txt', 'a fine film\n\ndull and far too long\n')}`;
  const { drift, worst, metrics, notes } = await evaluate(sample, { task, against: sample, threads: 1 });
  assert.ok(Math.abs(drift!.cosineMin! - 1) < 1e-9);
  assert.deepEqual(
    { ...drift, cosineMean: 0, cosineMin: 0 },
    { cosineMean: 0, cosineMin: 0, maxAbs: 0, agreement: 1, kl: 0, count: 2 },
  );
  assert.deepEqual([worst.filter(it => it.cosine! < 1 - 1e-9), metrics], [[], []]);
  assert.ok(notes.some(note => note.text.includes('empty lines') && note.args?.count === 1));
});

test('the order of texts and the batch do not change the answer: batches of 1 and 32 agree within 1e-4 points', async () => {
  const rows = [
    'sentence\tlabel',
    'a charming film\t1',
    'bad\t0',
    'the longest of them all , and not the best of them\t0',
    'good\tPositive',
  ];
  const task = `sst2:${file('few.tsv', rows.join('\n'))}`;
  const [one, all] = await Promise.all([1, 32].map(batch => evaluate(sample, { task, batch, threads: 1 })));
  assert.deepEqual(one!.metrics, all!.metrics);
  assert.equal(one!.metrics[0]!.count, 4);
});

test('texts over the model’s 128 positions are cut, and the report counts them', async () => {
  const task = `text:${file('long.txt', `${'word '.repeat(400)}\nshort\n`)}`;
  const { cut, notes } = await evaluate(sample, { task, threads: 1 });
  assert.equal(cut, 1);
  assert.ok(notes.some(note => note.args?.length === 128));
});

test('without a tokenizer ids are drawn, the report says so, and no quality is claimed', async () => {
  const alone = join(scratch, 'alone.onnx');
  symlinkSync(sample, alone);
  const task = `sst2:${file('drawn.tsv', 'sentence\tlabel\na b\t1\nc\t0\n')}`;
  const { tokenizer, metrics, notes } = await evaluate(alone, { task, threads: 1 });
  assert.deepEqual([tokenizer, metrics], ['seed', []]);
  assert.ok(notes.some(note => note.text.includes('drawn by chance')));
});

test('a task file in JSON names columns and metrics', async () => {
  file('data.csv', 'id,text,class\n1,"good, very good",POSITIVE\n2,"bad ""film""",negative\n');
  const described = { file: 'data.csv', columns: { text: 'text', label: 'class' }, metrics: ['accuracy', 'matthews'] };
  const { metrics, task } = await evaluate(sample, { task: file('mine.json', JSON.stringify(described)), threads: 1 });
  assert.deepEqual([task, metrics.map(it => it.name), metrics[0]!.count], ['mine', ['accuracy', 'matthews'], 2]);
});

test('what cannot be measured is said with the file and the line', async () => {
  const run = (task: string, path = sample) => evaluate(path, { task, threads: 1 });
  await assert.rejects(
    run(`sst2:${file('label.tsv', 'sentence\tlabel\nok\t1\nbad\t7\n')}`),
    failsWith('malformed', /label\.tsv: Line 3: the label “7”/),
  );
  await assert.rejects(run(`sst2:${file('header.tsv', 'text\tlabel\nok\t1\n')}`), failsWith('malformed', /no column “sentence”/));
  await assert.rejects(run(`stsb:${file('score.csv', 'a,b,1\na,b,high\n')}`), failsWith('malformed', /Line 2: the score “high”/));
  await assert.rejects(run(`stsb:${file('short.csv', 'a,b,1\na,b\n')}`), failsWith('malformed', /Line 2 has 2 columns/));
  await assert.rejects(
    run(`text:${file('latin.txt', Uint8Array.of(0x61, 10, 0xe9, 0x20, 10))}`),
    failsWith('malformed', /not UTF-8: line 2/),
  );
  await assert.rejects(
    run(`text:${file('odd.txt', Uint8Array.of(0xff, 0xfe, 0x61))}`),
    failsWith('malformed', /odd\.txt: This text begins as UTF-16/),
  );
  await assert.rejects(run(`text:${file('empty.txt', '\n\n')}`), failsWith('malformed', /no text/));
  await assert.rejects(run('mnli:x'), failsWith('usage', /no task/));
  await assert.rejects(run(`text:${join(scratch, 'absent.txt')}`), failsWith('not-found', /absent/));
});

test('UTF-16 with a byte order mark is read as what it says', async () => {
  const text = '\ufeffdull\r\nein schöner Film\r\n';
  const little = await evaluate(sample, {
    task: `text:${file('le.txt', Buffer.from(text, 'utf16le'))}`,
    against: sample,
    threads: 1,
  });
  const big = Buffer.from(text, 'utf16le').swap16();
  const other = await evaluate(sample, { task: `text:${file('be.txt', big)}`, against: sample, threads: 1 });
  assert.deepEqual([little.drift!.count, other.drift!.count], [2, 2]);
});

test('a model with inputs of its own is refused with the name of each', () => {
  const input = (name: string, shape: number[]) => ({ name, type: 'int64', shape });
  const runner = { name: 'm.onnx', inputs: [input('input_ids', [1, 8]), input('pixels', [1, 3, 8, 8])], outputs: [], loadMs: 0 };
  const neverRun = { run: async () => new Map(), close: async () => {} };
  assert.throws(() => inputsOf({ ...runner, ...neverRun }), failsWith('unsupported', /pixels \(int64 \[1, 3, 8, 8\]\)/));
});

test('texts are taken directly, in place of a task; empty ones are left out', async () => {
  const found = await evaluate(sample, { texts: ['a fine film', ' ', 'dull'], title: 'mine', against: sample, threads: 1 });
  assert.deepEqual([found.task, found.drift!.count, found.drift!.agreement], ['mine', 2, 1]);
  assert.ok(found.notes.some(note => note.text.includes('empty texts') && note.args?.count === 1));
  await assert.rejects(evaluate(sample, { texts: [''] }), failsWith('usage', /no text/));
  await assert.rejects(evaluate(sample, { texts: ['a'], task: 'text:x' }), failsWith('usage', /not both/));
});

/** Folders of this process that exported graphs are written to. */
const leftovers = () => readdirSync(tmpdir()).filter(name => name.startsWith(`headroom-${process.pid}-`));

test('weights alone are exported, run and taken away again: logits within 1e-4 of the ONNX file’s, and a note', {
  skip: unless('models/sample-sst2'),
}, async () => {
  const weights = join(shared, 'models/sample-sst2/model.safetensors');
  const found = await evaluate(weights, { texts: ['a fine film', 'dull and far too long'], against: sample, threads: 1 });
  assert.ok(found.drift!.maxAbs! < 1e-4, String(found.drift!.maxAbs));
  assert.deepEqual([found.file, found.drift!.agreement, found.tokenizer], ['model.safetensors', 1, 'tokenizer.json']);
  assert.ok(found.notes.some(note => note.text.includes('exported to ONNX')));
  assert.deepEqual(leftovers(), []);
});

test('the exported graph is taken away after an error, and after a cancel', { skip: unless('models/sample-sst2') }, async () => {
  const weights = join(shared, 'models/sample-sst2/model.safetensors');
  const labels = `sst2:${file('bad-label.tsv', 'sentence\tlabel\nok\t7\n')}`;
  await assert.rejects(evaluate(weights, { task: labels, threads: 1 }), failsWith('malformed', /label “7”/));
  assert.deepEqual(leftovers(), []);
  const controller = new AbortController();
  const texts = ['a', 'b', 'c'];
  const run = evaluate(
    weights,
    { texts, threads: 1, batch: 1 },
    { signal: controller.signal, progress: () => controller.abort() },
  );
  await assert.rejects(run, failsWith('cancelled', /Cancelled/));
  assert.deepEqual(leftovers(), []);
});

test('progress names the model that is about to be loaded or run, so that an abort has a name', async () => {
  const other = join(scratch, 'other.onnx');
  symlinkSync(sample, other);
  const heard: string[] = [];
  await evaluate(sample, { texts: ['a'], against: other, threads: 1 }, { progress: ({ what }) => void heard.push(what) });
  assert.deepEqual(heard, ['model.onnx', 'other.onnx', 'model.onnx', 'other.onnx']);
});
