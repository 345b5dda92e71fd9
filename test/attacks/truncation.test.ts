import assert from 'node:assert/strict';
import { test } from 'node:test';
import { smallOnnx, smallSafetensors, withstands } from './attack.ts';

test('an ONNX file cut at any byte is refused with file and offset, or is a good model', async () => {
  const bytes = smallOnnx();
  let opened = 0;
  for (let length = 0; length < bytes.length; length++) {
    const result = await withstands('m.onnx', bytes.subarray(0, length), `cut at ${length}`);
    if (result === 'opened') opened++;
    else {
      assert.equal(result.file, 'm.onnx', `cut at ${length}: ${result.message}`);
      assert.ok(['empty', 'truncated', 'not-a-model'].includes(result.code), `cut at ${length}: ${result.message}`);
      if (result.code === 'truncated') assert.ok(result.offset! <= length);
    }
  }
  // Whole fields of the model that end before the cut: ir_version, opset, graph, metadata, function.
  assert.ok(opened > 0 && opened < 6, `${opened} opened`);
});

test('a safetensors file cut at any byte is refused with file and offset', async () => {
  const bytes = smallSafetensors();
  for (let length = 0; length < bytes.length; length++) {
    const result = await withstands('m.safetensors', bytes.subarray(0, length), `cut at ${length}`);
    assert.ok(result !== 'opened', `cut at ${length}`);
    assert.equal(result.file, 'm.safetensors');
    assert.equal(result.code, length === 0 ? 'empty' : 'truncated', `cut at ${length}: ${result.message}`);
    if (length > 0) assert.ok(result.offset! <= bytes.length);
  }
});
