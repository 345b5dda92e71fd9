import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { readFloats } from '../../../src/core/tensor/floats.ts';
import type { Tensor } from '../../../src/core/tensor/tensor.ts';
import { generated, noGenerated, openMemory, openSource, planOf, quantized } from '../passes/fixtures.ts';

const int8s = async (tensor: Tensor): Promise<Int8Array> => new Int8Array((await tensor.bytes()).slice().buffer);

test('a linear becomes int8 [out, in] and weight_scale f32 [out, 1], w / scale rounded, scale = max|w| / 127', {
  skip: noGenerated,
}, async () => {
  const path = join(generated, 'bert-sequence-classification/model.safetensors');
  const source = await openSource(path);
  const written = await openMemory((await quantized(path)).files, 'model.safetensors');
  const name = 'bert.encoder.layer.1.intermediate.dense.weight';
  const [before, after, scale] = [
    source.body.model.tensors.get(name)!,
    written.tensors.get(name)!,
    written.tensors.get(`${name}_scale`)!,
  ];
  assert.deepEqual([after.dtype, after.shape, scale.dtype, scale.shape], ['int8', [72, 32], 'fp32', [72, 1]]);
  const [weights, integers, scales] = [await readFloats(before), await int8s(after), await readFloats(scale)];
  for (let row = 0; row < 72; row++) {
    const values = weights.subarray(row * 32, row * 32 + 32);
    assert.equal(scales[row], Math.fround(Math.max(...values.map(Math.abs)) / 127));
    values.forEach((value, i) => {
      const exact = value / scales[row]!;
      assert.ok(Math.abs(integers[row * 32 + i]! - exact) <= 0.5 + 1e-5 && Math.abs(integers[row * 32 + i]!) <= 127);
    });
  }
  await source.close();
});

test('the configuration names int-quantized, and ignores the linears that stay as they are', { skip: noGenerated }, async () => {
  const { body, plan, files } = await quantized(join(generated, 'bert-sequence-classification/model.safetensors'));
  const { quantization_config: config, ...rest } = body.model.config as { quantization_config: Record<string, unknown> };
  assert.equal(config.quant_method, 'compressed-tensors');
  assert.equal(config.format, 'int-quantized');
  assert.ok(Object.keys(rest).length > 5, 'the rest of the configuration stays');
  const tensors = (await openMemory(files, 'model.safetensors')).tensors;
  const left = [...tensors.values()].filter(it => it.dtype === 'fp32' && it.shape.length === 2 && !it.name.endsWith('_scale'));
  const linears = left.map(it => it.name.replace(/\.weight$/, '')).filter(it => !it.includes('embeddings'));
  assert.deepEqual(linears, ['classifier']);
  for (const name of linears) assert.ok((config.ignore as string[]).includes(name), name);
  const kept = plan.skipped.find(it => it.target === 'classifier');
  assert.match(kept!.reason.text, /Too small/);
});

test('embeddings become fp16, as both the edits and the list of what was left alone say', { skip: noGenerated }, async () => {
  const { plan, files } = await quantized(join(generated, 'bert-base/model.safetensors'));
  const table = (await openMemory(files, 'model.safetensors')).tensors.get('embeddings.word_embeddings.weight')!;
  assert.equal(table.dtype, 'fp16');
  assert.ok(plan.edits.some(edit => edit.kind === 'cast' && edit.target.id === 'embeddings.word_embeddings'));
  assert.ok(plan.skipped.some(it => it.target === 'embeddings.word_embeddings' && it.reason.text.includes('fp16')));
  const kept = await quantized(join(generated, 'bert-base/model.safetensors'), { embedding_bits: 32 });
  assert.equal(kept.body.model.tensors.get('embeddings.word_embeddings.weight')!.dtype, 'fp32');
});

test('both copies of a tied table become fp16, and neither becomes integers', { skip: noGenerated }, async () => {
  const { plan, body } = await quantized(join(generated, 'tied-mlm/model.twice.safetensors'));
  const casts = plan.edits.filter(edit => edit.kind === 'cast').map(edit => edit.target.weight.name);
  for (const name of ['bert.embeddings.word_embeddings.weight', 'cls.predictions.decoder.weight'])
    assert.ok(casts.includes(name), name);
  const { ignore } = (body.model.config as { quantization_config: { ignore: string[] } }).quantization_config;
  assert.ok(ignore.includes('cls.predictions.decoder'));
});

test('int8-dynamic of a safetensors model does not apply, and names what to choose', { skip: noGenerated }, async () => {
  const source = await openSource(join(generated, 'bert-base/model.safetensors'));
  const { edits, skipped } = await planOf(source.body, { scheme: 'int8-dynamic' });
  assert.equal(edits.length, 0);
  assert.match(skipped[0]!.reason.text, /choose int8/);
  await source.close();
});

test('a model that is compressed already is left alone', { skip: noGenerated }, async () => {
  const { body } = await quantized(join(generated, 'bert-base/model.safetensors'));
  const { edits, skipped } = await planOf(body, {});
  assert.deepEqual([edits.length, skipped[0]!.reason.text], [0, 'It is already quantized.']);
});
