import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { openPath } from '../../../src/core/session/open.ts';

const sample = resolve(import.meta.dirname, '../../../media/sample/model.onnx');
const scratch = mkdtempSync(join(tmpdir(), 'headroom-open-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** The config that a model at `path` is read with, in a folder of its own with these files. */
async function configAt(path: string, files: Readonly<Record<string, object>>): Promise<unknown> {
  const folder = mkdtempSync(join(scratch, 'models-'));
  for (const [name, config] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), JSON.stringify(config));
  }
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  copyFileSync(sample, join(folder, path));
  const opened = await openPath(join(folder, path));
  await opened.close();
  return opened.model.config;
}

const above = { model_type: 'above' };

test('a model in a folder called onnx is read with the config.json above it, as optimum keeps them', async () => {
  assert.deepEqual(await configAt('onnx/model.onnx', { 'config.json': above }), above);
});

test('its own config.json comes first', async () => {
  const own = { model_type: 'own' };
  assert.deepEqual(await configAt('onnx/model.onnx', { 'config.json': above, 'onnx/config.json': own }), own);
});

test('no other folder is left for a config.json', async () => {
  assert.deepEqual(await configAt('models/model.onnx', { 'config.json': above }), {});
});

test('an adapter_config.json stands in where there is no config.json', async () => {
  const adapter = { peft_type: 'LORA', r: 8, lora_alpha: 16, base_model_name_or_path: 'bert-base-uncased' };
  assert.deepEqual(await configAt('model.onnx', { 'adapter_config.json': adapter }), adapter);
  assert.deepEqual(await configAt('model.onnx', { 'adapter_config.json': adapter, 'config.json': above }), above);
});
