import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headroom, sample } from './run.ts';

test('sensitivity prints a table with the most costly part first, and the same as JSON in the order of the model', () => {
  const { status, json } = headroom('sensitivity', sample, '--scheme', 'int4', '--json');
  assert.equal(status, 0);
  assert.equal(json.version, 1);
  assert.equal(json.texts, 64);
  assert.deepEqual([json.step.pass, json.step.options.scheme, json.parts], ['quantize', 'int4', 'layers']);
  const layers = json.rows.filter((row: { organ: string }) => row.organ === 'layer');
  assert.deepEqual(
    layers.map((row: { id: string }) => row.id),
    layers.map((_: unknown, layer: number) => `encoder.layer.${layer}`),
  );
  const { stdout } = headroom('sensitivity', sample, '--scheme=int4');
  const drifts = [...stdout.matchAll(/^(?:Layer|Embeddings|Pooler|Dense|Classifier).*?(\d\.\d{6})/gm)].map(([, drift]) =>
    Number(drift),
  );
  assert.ok(drifts.length >= layers.length);
  assert.deepEqual(
    drifts,
    [...drifts].sort((a, b) => b - a),
  );
  assert.match(stdout, /^all together +\d\.\d{6}/m);
});

test('sensitivity takes the flags of the pass it is told, and no others', () => {
  const done = headroom('sensitivity', sample, '--pass', 'factorize', '--rank', '4', '--parts', 'organs', '--json');
  assert.equal(done.status, 0, done.stderr);
  assert.equal(done.json.step.options.rank, 4);
  assert.equal(headroom('sensitivity', sample, '--pass', 'factorize', '--scheme', 'int4').status, 2);
  assert.equal(headroom('sensitivity', sample, '--pass', 'prune-heads').status, 2);
  const missing = headroom('sensitivity', sample, '--scheme', 'int4', '--rounding', 'gptq', '--json');
  assert.equal(missing.json.error.code, 'usage');
});
