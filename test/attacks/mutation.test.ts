import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { smallOnnx, smallSafetensors, withstands } from './attack.ts';
import { type Random, randomFrom } from './random.ts';

const interesting = [0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x12, 0x22, 0x3a, 0x0b, 0x0c, 0x2c, 0x5b, 0x7b, 0x22];

/** One to four changes: a bit, a byte, a run removed, doubled or moved, a long varint put in. */
function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  let result = Uint8Array.from(bytes);
  for (let count = 1 + random(4); count > 0 && result.length > 0; count--) {
    const at = random(result.length);
    const length = 1 + random(8);
    const [before, run, rest] = [result.subarray(0, at), result.subarray(at, at + length), result.subarray(at + length)];
    const kind = random(6);
    if (kind === 0) result[at]! ^= 1 << random(8);
    else if (kind === 1) result[at] = interesting[random(interesting.length)]!;
    else if (kind === 2) result = Uint8Array.from([...before, ...rest]);
    else if (kind === 3) result = Uint8Array.from([...before, ...run, ...run, ...rest]);
    else if (kind === 4) result = Uint8Array.from([...before, ...Array(9).fill(0xff), random(2), ...rest]);
    else result = Uint8Array.from([...rest, ...before, ...run]);
  }
  return result;
}

async function fuzz(
  name: string,
  bytes: Uint8Array,
  count: number,
  seed: number,
): Promise<{ opened: number; codes: Set<string> }> {
  const random = randomFrom(seed);
  let opened = 0;
  const codes = new Set<string>();
  for (let i = 0; i < count; i++) {
    const attack = mutated(bytes, random);
    const start = performance.now();
    const result = await withstands(name, attack, `seed ${seed}, mutation ${i}: ${Buffer.from(attack).toString('base64')}`);
    assert.ok(performance.now() - start < 2000, `seed ${seed}, mutation ${i} took longer than 2 s`);
    if (result === 'opened') opened++;
    else codes.add(result.code);
    if (result !== 'opened' && result.code !== 'outside-folder')
      assert.ok(result.file !== undefined, `mutation ${i} names no file: ${result.message}`);
  }
  return { opened, codes };
}

test('4,000 mutations of an ONNX file are models or errors that name the file', async () => {
  const { opened, codes } = await fuzz('m.onnx', smallOnnx(), 4000, 1);
  assert.ok(opened > 200 && opened < 3800, `${opened} opened`);
  for (const code of ['malformed', 'truncated', 'missing-file']) assert.ok(codes.has(code), `none was ${code}`);
});

test('4,000 mutations of a safetensors file are models or errors that name the file', async () => {
  const { opened, codes } = await fuzz('m.safetensors', smallSafetensors(), 4000, 2);
  assert.ok(opened > 10 && opened < 3800, `${opened} opened`);
  for (const code of ['malformed', 'truncated']) assert.ok(codes.has(code), `none was ${code}`);
});

const real = resolve(import.meta.dirname, '../../../shared/third-party/models');
test('1,000 mutations of published files are models or errors that name the file', {
  skip: !existsSync(real) && 'no third-party models',
}, async () => {
  for (const name of [
    'tracel-ai-burn-onnx__nested_if_loop_if_scan.onnx',
    'NVIDIA-TensorRT__sparse_nnz.onnx',
    'onnxruntime-onnxruntime-qnn__function_with_variadics.onnx',
    'huggingface-safetensors__overall.safetensors',
  ])
    await fuzz(name, new Uint8Array(readFileSync(`${real}/${name}`)), 250, 3);
});
