import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { headroom, sample, scratch, shared, unless } from './run.ts';

const bert = join(shared, 'generated/bert-sequence-classification');
const skip = unless('generated/bert-sequence-classification');

test('export makes a model of a folder, which inspect shows as the same, and carries config and tokenizer', { skip }, () => {
  const out = join(scratch(), 'onnx');
  const { status, json } = headroom('export', bert, '--format', 'onnx', '--out', `${out}/`, '--json');
  assert.equal(status, 0);
  assert.deepEqual(json.outputs, ['logits']);
  assert.equal(json.after.fileBytes, statSync(join(out, 'model.onnx')).size);
  assert.equal(json.after.parameters, json.before.parameters);
  assert.ok(existsSync(join(out, 'config.json')) && existsSync(join(out, 'tokenizer.json')));
  const shown = (path: string) => {
    const { family, task, layers, heads, parameters, hidden } = headroom('inspect', path, '--json').json.model;
    return { family, task, layers, heads, parameters, hidden };
  };
  assert.deepEqual(shown(out), shown(bert));
});

test('export never overwrites without --force, and an ONNX model has nothing to export', { skip }, () => {
  const out = join(scratch(), 'a.onnx');
  assert.equal(headroom('export', bert, '--out', out).status, 0);
  const again = headroom('export', bert, '--out', out, '--json');
  assert.deepEqual([again.status, again.json.error.code], [1, 'output-exists']);
  assert.equal(headroom('export', bert, '--out', out, '--force').status, 0);
  const already = headroom('export', sample, '--out', join(scratch(), 'b.onnx'), '--json');
  assert.deepEqual([already.status, already.json.error.code], [1, 'unsupported']);
});

test('quantize of a checkpoint to .onnx gives the bytes that quantize of its export gives', { skip }, () => {
  const [direct, exported, both] = ['direct.onnx', 'exported.onnx', 'both.onnx'].map(name => join(scratch(), name)) as [
    string,
    string,
    string,
  ];
  assert.equal(headroom('quantize', bert, '--out', direct).status, 0);
  assert.equal(headroom('export', bert, '--out', exported).status, 0);
  assert.equal(headroom('quantize', exported, '--out', both).status, 0);
  assert.ok(readFileSync(direct).equals(readFileSync(both)));
});

test('a sentence-transformers folder gives sentence_embedding; steps that are not known are named', {
  skip: unless('generated/bert-base'),
}, () => {
  const folder = scratch();
  for (const name of ['config.json', 'model.safetensors']) cpSync(join(shared, 'generated/bert-base', name), join(folder, name));
  const steps = ['Transformer', 'Pooling', 'Normalize'].map((type, idx) => ({
    idx,
    path: idx === 1 ? '1_Pooling' : '',
    type: `sentence_transformers.models.${type}`,
  }));
  writeFileSync(join(folder, 'modules.json'), JSON.stringify(steps));
  cpSync(join(folder, 'config.json'), join(folder, '1_Pooling/config.json'));
  writeFileSync(
    join(folder, '1_Pooling/config.json'),
    JSON.stringify({ pooling_mode_cls_token: false, pooling_mode_mean_tokens: true }),
  );
  const plain = headroom('export', folder, '--out', join(scratch(), 'a/'), '--json');
  assert.deepEqual(plain.json.outputs, ['last_hidden_state', 'pooler_output', 'sentence_embedding']);
  writeFileSync(
    join(folder, 'modules.json'),
    JSON.stringify([...steps, { idx: 3, path: '3_WordWeights', type: 'sentence_transformers.models.WordWeights' }]),
  );
  const out = scratch();
  const weighed = headroom('export', folder, '--out', out, '--json');
  assert.deepEqual(weighed.json.outputs, ['last_hidden_state', 'pooler_output']);
  assert.match(weighed.json.skipped[0].reason, /the step WordWeights/);
  assert.ok(readdirSync(out).includes('modules.json'));
});
