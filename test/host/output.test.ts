import assert from 'node:assert/strict';
import { sep } from 'node:path';
import { test } from 'node:test';
import { freeOutput, outputFor, stemOf, writtenFile } from '../../src/host/output.ts';
import type { Recipe } from '../../src/protocol/messages.ts';

const recipe = (...steps: Recipe['steps']): Recipe => ({ version: 1, steps });
const int8 = recipe({ pass: 'quantize', options: { scheme: 'int8' } });

test('an ONNX result stands beside the original, named for what was done', () => {
  assert.equal(outputFor('/m/model.onnx', int8), '/m/model.int8.onnx');
  assert.equal(outputFor('/m/BERT base.ONNX', int8), '/m/BERT base.int8.onnx');
});

test('an ONNX result whose sizes change gets a folder: it has a configuration of its own', () => {
  const two = recipe({ pass: 'prune-heads', options: {} }, { pass: 'quantize', options: { scheme: 'int8-dynamic' } });
  assert.equal(outputFor('/m/model.onnx', two), `/m/model-prune-heads-int8-dynamic${sep}`);
  assert.equal(writtenFile(outputFor('/m/model.onnx', two), 'onnx'), '/m/model-prune-heads-int8-dynamic/model.onnx');
});

test('a safetensors result gets a folder, since it has a configuration of its own', () => {
  assert.equal(outputFor('/m/model.safetensors', int8), `/m/model-int8${sep}`);
  assert.equal(outputFor('/m/model.safetensors.index.json', int8), `/m/model-int8${sep}`);
  assert.equal(writtenFile(`/m/model-int8${sep}`, 'safetensors'), '/m/model-int8/model.safetensors');
  assert.equal(writtenFile('/m/model.int8.onnx', 'onnx'), '/m/model.int8.onnx');
});

test('a recipe cannot lead the result out of the folder', () => {
  const hostile = recipe({ pass: 'quantize', options: { scheme: '../../etc/x' } });
  assert.equal(outputFor('/m/model.onnx', hostile), '/m/model.....etcx.onnx');
});

test('the next free name counts on until nothing is there', async () => {
  const there = new Set(['/m/model.int8-2.onnx', '/m/model-int8-2/model.safetensors']);
  const exists = async (path: string) => there.has(path);
  assert.equal(await freeOutput('/m/model.int8.onnx', 'onnx', exists), '/m/model.int8-3.onnx');
  assert.equal(await freeOutput('/m/model-int8/', 'safetensors', exists), '/m/model-int8-3/');
});

test('the stem is the name without any of the endings', () => {
  assert.deepEqual(['a.onnx', 'a.b.safetensors', 'a.safetensors.index.json', 'a.txt'].map(stemOf), ['a', 'a.b', 'a', 'a.txt']);
});
