import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { HeadroomError } from '../../../src/core/errors.ts';
import type { Evaluation } from '../../../src/core/evaluation/report.ts';
import { fingerprint } from '../../../src/core/session/fingerprint.ts';
import { keepRecord, record } from '../../../src/core/session/record.ts';
import { createSession } from '../../../src/core/session/session.ts';

const sample = resolve(import.meta.dirname, '../../../media/sample');
const scratch = mkdtempSync(join(tmpdir(), 'headroom-record-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** A folder of its own with the sample in it under each of these names. */
function folderOf(...names: string[]): string {
  const folder = mkdtempSync(join(scratch, 'models-'));
  for (const name of names) copyFileSync(join(sample, 'model.onnx'), join(folder, name));
  return folder;
}

const failsWith = (code: string) => (error: unknown) => error instanceof HeadroomError && error.code === code;

const latency = { medianMs: 4, p90Ms: 5, threads: 2, batch: 1, length: 16, runs: 30 };
const side = {
  file: 'model.onnx',
  metrics: [],
  latency,
  loadMs: 20,
  fileBytes: 6_452_269,
  cut: 0,
  nonFinite: 0,
  tokenizer: 'vocab.txt' as const,
};
const evaluation = (task: string, cosineMean: number): Evaluation => ({
  ...side,
  version: 1,
  task,
  drift: { cosineMean, cosineMin: 0.9, maxAbs: 0.1, agreement: 1, kl: 0, count: 2 },
  peakBytes: 1,
  threads: 2,
  batch: 32,
  runtime: 'onnxruntime-node 1.30.0',
  seconds: 1,
  against: side,
  worst: [{ text: 'A text.', cosine: 0.9, before: 0, after: 1 }],
  notes: [{ text: '{count} empty lines were left out.', args: { count: 2 } }],
});

test('nothing is kept beside a model that was never measured', async () => {
  assert.equal(await record(join(folderOf('model.onnx'), 'model.onnx')), null);
});

test('what was measured is read back as it was kept, with the hash of its texts and the way to the other model', async () => {
  const folder = folderOf('model.onnx', 'small.onnx');
  const path = join(folder, 'small.onnx');
  await keepRecord(path, { evaluation: evaluation('sentences', 0.99), against: join(folder, 'model.onnx'), texts: ['a', 'b'] });
  assert.deepEqual(readdirSync(folder).sort(), ['model.onnx', 'small.headroom.json', 'small.onnx']);
  const found = await record(path);
  assert.equal(found?.changed, false);
  const [kept] = found!.record.evaluations;
  assert.deepEqual(kept!.evaluation, evaluation('sentences', 0.99));
  assert.equal(kept!.against, 'model.onnx');
  // printf 'a\\nb' | sha256sum
  assert.equal(kept!.texts, '7e18f737311b2dc3b2f269dd78396b0351f14fb66efa879f768cb23181883c78');
  assert.match(kept!.at, /^\d{4}-\d\d-\d\dT.*Z$/);
  assert.equal(await record(join(folder, 'model.onnx')), null, 'the record is of one model only');
});

test('the same question has one answer, the newest first; another joins it; how it was made stays', async () => {
  const path = join(folderOf('model.onnx'), 'model.onnx');
  const sizes = { parameters: 1, byteLength: 1, fileBytes: 1 };
  const report = {
    version: 1 as const,
    out: path,
    before: sizes,
    after: sizes,
    edits: [],
    skipped: [],
    seconds: 1,
    peakBytes: 1,
  };
  const made = {
    recipe: { version: 1 as const, steps: [{ pass: 'quantize', options: {} }] },
    report,
    command: 'headroom quantize',
  };
  await keepRecord(path, { made });
  await keepRecord(path, { evaluation: evaluation('sentences', 0.9), texts: ['a'] });
  await keepRecord(path, { evaluation: evaluation('stsb', 0.8), texts: ['a'] });
  await keepRecord(path, { evaluation: evaluation('sentences', 0.95), texts: ['a'] });
  const { record: kept } = (await record(path))!;
  assert.deepEqual(kept.made, made);
  assert.deepEqual(
    kept.evaluations.map(each => [each.evaluation.task, each.evaluation.drift?.cosineMean]),
    [
      ['sentences', 0.95],
      ['stsb', 0.8],
    ],
  );
});

test('a model that was written anew is told as changed, and what is kept next begins anew', async () => {
  const path = join(folderOf('model.onnx'), 'model.onnx');
  await keepRecord(path, { evaluation: evaluation('sentences', 0.9), texts: ['a'] });
  const bytes = readFileSync(path);
  bytes.fill(7, 3_000_000, 3_100_000);
  writeFileSync(path, bytes);
  assert.equal((await record(path))?.changed, true);
  await keepRecord(path, { evaluation: evaluation('stsb', 0.8), texts: ['a'] });
  const found = (await record(path))!;
  assert.equal(found.changed, false);
  assert.deepEqual(
    found.record.evaluations.map(each => each.evaluation.task),
    ['stsb'],
  );
});

test('a file of that name that is no record is told, and left as it is', async () => {
  for (const content of [
    '{ "version": 1 }',
    'not json',
    '{"version":1,"model":{"name":"model.onnx"},"evaluations":[{}]}',
    '[]',
  ]) {
    const folder = folderOf('model.onnx');
    const [path, beside] = [join(folder, 'model.onnx'), join(folder, 'model.headroom.json')];
    writeFileSync(beside, content);
    await assert.rejects(record(path), failsWith('malformed'));
    await assert.rejects(keepRecord(path, { evaluation: evaluation('sentences', 0.9) }), failsWith('malformed'));
    assert.equal(readFileSync(beside, 'utf8'), content);
    assert.equal(readdirSync(folder).length, 2, 'and nothing else is left behind');
  }
});

test('two models that differ in their ending alone have a record each', async () => {
  const folder = folderOf('model.onnx');
  copyFileSync(resolve(import.meta.dirname, '../../../media/sample/model.onnx'), join(folder, 'model.bin'));
  await keepRecord(join(folder, 'model.onnx'), { evaluation: evaluation('one', 0.9), texts: [] });
  await keepRecord(join(folder, 'model.bin'), { evaluation: evaluation('two', 0.9), texts: [] });
  assert.deepEqual(readdirSync(folder).sort(), ['model.bin', 'model.bin.headroom.json', 'model.headroom.json', 'model.onnx']);
  assert.equal((await record(join(folder, 'model.onnx')))?.record.evaluations[0]?.evaluation.task, 'one');
  assert.equal((await record(join(folder, 'model.bin')))?.record.evaluations[0]?.evaluation.task, 'two');
});

test('a fingerprint reads at most 1 MB, the first and the last bytes among them, and does not know names', async () => {
  const [one, two] = [join(scratch, 'one.bin'), join(scratch, 'two.bin')];
  const bytes = Buffer.alloc(10_000_000, 1);
  const of = async (change: (bytes: Buffer) => unknown, path = one): Promise<string> => {
    const copy = Buffer.from(bytes);
    change(copy);
    writeFileSync(path, copy);
    return fingerprint([path]);
  };
  const was = await of(() => undefined);
  assert.equal(await of(() => undefined, two), was);
  for (const at of [0, 9_999_999]) assert.notEqual(await of(copy => copy.fill(2, at, at + 1)), was);
  assert.notEqual(await of(copy => copy.fill(2, 5_000_000, 5_100_000)), was);
  truncateSync(two, 9_999_999);
  assert.notEqual(await fingerprint([two]), was);
});

test('a record is not carried beside an output as if it belonged to it', async () => {
  const folder = folderOf('sentence_model.onnx');
  copyFileSync(join(sample, 'config.json'), join(folder, 'config.json'));
  await keepRecord(join(folder, 'sentence_model.onnx'), { evaluation: evaluation('sentences', 0.9), texts: [] });
  const out = join(folder, 'out');
  const recipe = { version: 1 as const, steps: [{ pass: 'quantize', options: { scheme: 'int8' } }] };
  await createSession().compress({ path: join(folder, 'sentence_model.onnx'), recipe, out: `${out}/small.onnx` });
  assert.deepEqual(readdirSync(out).sort(), ['config.json', 'small.onnx']);
});
