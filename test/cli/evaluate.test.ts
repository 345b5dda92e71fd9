import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { headroom, sample, scratch, shared, unless } from './run.ts';

const folder = scratch();
const file = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const texts = file('texts.txt', 'a fine film\n\ndull and far too long\n');
const labels = file('labels.tsv', 'sentence\tlabel\na charming film\t1\nbad\t0\n');

test('evaluate shows a table with quality, speed, memory and what was timed; notes go to standard error', () => {
  const { status, stdout, stderr } = headroom('evaluate', sample, '--task', `sst2:${labels}`, '--threads', '1');
  assert.equal(status, 0, stderr);
  for (const line of [
    /^sst2, 2 samples; onnxruntime-node [\d.]+, 1 threads, batches of 32$/m,
    /^latency: batch 1, length 128, \d+ runs/m,
    /^accuracy +100\.00$/m,
    /^latency, median +[\d.]+ ms$/m,
    /^memory +[\d.]+ MB$/m,
    /^multiply-adds +117\.5 M$/m,
  ])
    assert.match(stdout, line);
  assert.equal(stderr, '');
});

test('evaluate --json has the fields of the contract', () => {
  const { status, json } = headroom('evaluate', sample, '--task', `sst2:${labels}`, '--json', '--batch', '1');
  assert.equal(status, 0);
  assert.deepEqual([json.version, json.drift, json.batch], [1, null, 1]);
  assert.deepEqual(Object.keys(json.metrics[0]), ['name', 'value', 'count']);
  assert.deepEqual(Object.keys(json.latency), ['medianMs', 'p90Ms', 'threads', 'batch', 'length', 'runs']);
  assert.ok(json.fileBytes > 6e6 && json.peakBytes > 1e7);
});

test('two models in one call: a column each, how far outputs moved, and drift by layer', () => {
  const other = join(folder, 'other.onnx');
  copyFileSync(sample, other);
  const run = headroom('evaluate', other, '--against', sample, '--task', `text:${texts}`, '--layers');
  assert.equal(run.status, 0, run.stderr);
  assert.match(run.stdout, /^ +model\.onnx +other\.onnx$/m);
  assert.match(run.stdout, /^outputs of 2 texts against model\.onnx:$/m);
  assert.match(run.stdout, /^cosine, mean +1\.00000$/m);
  assert.match(run.stdout, /^encoder\.layer\.3 +cosine +1\.00000 +1\.00000$/m);
  assert.match(run.stderr, /note: 1 empty lines were left out\./);
});

test('weights without a graph are evaluated too; nothing is left of their export, nor of a telemetry of onnxruntime’s', {
  skip: unless('models/sample-sst2'),
}, () => {
  const weights = join(shared, 'models/sample-sst2/model.safetensors');
  const temporary = join(folder, 'temporary');
  mkdirSync(temporary);
  const usual = process.env.TMPDIR;
  process.env.TMPDIR = temporary;
  const { status, stdout, stderr } = headroom('evaluate', weights, '--task', `text:${texts}`);
  if (usual === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = usual;
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^ +model\.safetensors$/m);
  assert.match(stderr, /exported to ONNX/);
  assert.deepEqual(readdirSync(temporary), []);
});

test('wrong usage ends with 2, what cannot be measured with 1; --json says it as data', () => {
  const usage = headroom('evaluate', sample, '--task', 'mnli:x', '--json');
  assert.deepEqual([usage.status, usage.json.error.code], [2, 'usage']);
  const threads = headroom('evaluate', sample, '--task', `text:${texts}`, '--threads', 'two');
  assert.equal(threads.status, 2);
  assert.match(threads.stderr, /--threads is a whole number, not “two”/);
  const label = headroom('evaluate', sample, '--task', `sst2:${file('bad.tsv', 'sentence\tlabel\nok\t7\n')}`, '--json');
  assert.deepEqual([label.status, label.json.error.code], [1, 'malformed']);
  assert.match(label.json.error.message, /bad\.tsv: Line 2: the label “7”/);
  const absent = headroom('evaluate', join(folder, 'absent.onnx'), '--task', `text:${texts}`);
  assert.deepEqual([absent.status, absent.stdout], [1, '']);
  assert.match(absent.stderr, /absent\.onnx/);
  assert.equal(headroom('evaluate', sample).status, 2);
});
