import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detect } from '../../../src/core/anatomy/detect.ts';
import { summarize } from '../../../src/core/report/summary.ts';
import type { TreeNode } from '../../../src/core/report/tree.ts';
import type { Tensor } from '../../../src/core/tensor/tensor.ts';
import { bertTensors, int64s, made, madeModel } from './made-models.ts';

const shape = { vocabulary: 50, hidden: 64, layers: 2, forward: 96 };
const config = { model_type: 'bert', hidden_size: 64, num_attention_heads: 4 };

/** A matrix of a layer: name without ".weight", outputs and inputs. */
type Pack = (name: string, out: number, width: number) => Tensor[];

/** Every matrix of every layer packed by a tool; biases, norms, tables and the pooler as they were. */
const packedBy = (pack: Pack): Tensor[] =>
  bertTensors(shape).flatMap(tensor => {
    const [, name] = tensor.name.match(/^(encoder\.layer\..*(?:query|key|value|dense))\.weight$/) ?? [];
    return name ? pack(name, tensor.shape[0]!, tensor.shape[1]!) : [tensor];
  });

async function inspect(tensors: readonly Tensor[], more: Record<string, unknown> = {}) {
  const model = madeModel(tensors, { ...config, ...more });
  const anatomy = await detect(model);
  return { anatomy, summary: summarize(model, anatomy) };
}

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** Tools, and how each keeps a matrix; the layouts stand in src/core/anatomy/packed.ts. */
const tools: Readonly<
  Record<string, { readonly pack: Pack; readonly bits: number; readonly dtype: string; readonly config?: object }>
> = {
  'compressed-tensors, 4 bits in words': {
    pack: (name, out, width) => [
      made(`${name}.weight_packed`, [out, Math.ceil((width * 4) / 32)], 'int32'),
      made(`${name}.weight_scale`, [out, width / 32], 'bf16'),
      made(`${name}.weight_zero_point`, [out / 8, width / 32], 'int32'),
      made(`${name}.weight_shape`, [2], 'int64', int64s(out, width)),
    ],
    bits: 4,
    dtype: 'int4',
  },
  'compressed-tensors, 8 bits in words': {
    pack: (name, out, width) => [
      made(`${name}.weight_packed`, [out, width / 4], 'int32'),
      made(`${name}.weight_scale`, [out, 1], 'bf16'),
      made(`${name}.weight_shape`, [2], 'int64', int64s(out, width)),
    ],
    bits: 8,
    dtype: 'int8',
  },
  'compressed-tensors, nvfp4': {
    pack: (name, out, width) => [
      made(`${name}.weight_packed`, [out, width / 2], 'uint8'),
      made(`${name}.weight_scale`, [out, width / 16], 'fp8_e4m3fn'),
      made(`${name}.weight_global_scale`, [1]),
    ],
    bits: 4,
    dtype: 'fp4',
  },
  GPTQ: {
    pack: (name, out, width) => [
      made(`${name}.qweight`, [width / 8, out], 'int32'),
      made(`${name}.qzeros`, [width / 32, out / 8], 'int32'),
      made(`${name}.scales`, [width / 32, out], 'fp16'),
      made(`${name}.g_idx`, [width], 'int32'),
    ],
    bits: 4,
    dtype: 'int4',
    config: { quantization_config: { quant_method: 'gptq', bits: 4, group_size: 32 } },
  },
  'GPTQ without config.json': {
    pack: (name, out, width) => [
      made(`${name}.qweight`, [width / 4, out], 'int32'),
      made(`${name}.qzeros`, [width / 32, out / 4], 'int32'),
      made(`${name}.scales`, [width / 32, out], 'fp16'),
      made(`${name}.g_idx`, [width], 'int32'),
    ],
    bits: 8,
    dtype: 'int8',
  },
  AWQ: {
    pack: (name, out, width) => [
      made(`${name}.qweight`, [width, out / 8], 'int32'),
      made(`${name}.qzeros`, [width / 32, out / 8], 'int32'),
      made(`${name}.scales`, [width / 32, out], 'fp16'),
    ],
    bits: 4,
    dtype: 'int4',
    config: { quantization_config: { quant_method: 'awq', bits: 4 } },
  },
  'bitsandbytes, nf4': {
    pack: (name, out, width) => [
      made(`${name}.weight`, [(out * width) / 2, 1], 'uint8'),
      made(`${name}.weight.absmax`, [(out * width) / 64], 'uint8'),
      made(`${name}.weight.nested_absmax`, [1]),
      made(`${name}.weight.nested_quant_map`, [256]),
      made(`${name}.weight.quant_map`, [16]),
      ((blob: Uint8Array) => made(`${name}.weight.quant_state.bitsandbytes__nf4`, [blob.length], 'uint8', blob))(
        json({ quant_type: 'nf4', blocksize: 64, dtype: 'float16', shape: [out, width] }),
      ),
    ],
    bits: 4,
    dtype: 'nf4',
  },
  'bitsandbytes, 8 bits': {
    pack: (name, out, width) => [
      made(`${name}.weight`, [out, width], 'int8'),
      made(`${name}.SCB`, [out]),
      made(`${name}.weight_format`, [], 'uint8'),
    ],
    bits: 8,
    dtype: 'int8',
  },
  'quanto, 8 bits': {
    pack: (name, out, width) => [
      made(`${name}.weight._data`, [out, width], 'int8'),
      made(`${name}.weight._scale`, [out, 1]),
      made(`${name}.input_scale`, []),
      made(`${name}.output_scale`, []),
    ],
    bits: 8,
    dtype: 'int8',
  },
  'quanto, 4 bits': {
    pack: (name, out, width) => [
      made(`${name}.weight._data._data`, [32, (out * width) / 64], 'uint8'),
      made(`${name}.weight._scale`, [1, (out * width) / 32]),
      made(`${name}.weight._shift`, [1, (out * width) / 32]),
    ],
    bits: 4,
    dtype: 'int4',
  },
  'torchao, fp8': {
    pack: (name, out, width) => [
      made(`${name}._weight_qdata`, [out, width], 'fp8_e4m3fn'),
      made(`${name}._weight_scale`, [out, 1]),
    ],
    bits: 8,
    dtype: 'fp8_e4m3fn',
  },
  'torchao, int8 of an older version': {
    pack: (name, out, width) => [made(`${name}.weight:qdata`, [out, width], 'int8'), made(`${name}.weight:scale`, [out])],
    bits: 8,
    dtype: 'int8',
  },
};

const rowsOf = (row: TreeNode): TreeNode[] => [row, ...(row.children ?? []).flatMap(rowsOf)];

for (const [tool, { pack, bits, dtype, config: more }] of Object.entries(tools))
  test(`${tool}: as many parameters as before, ${bits} bits each, every tensor in a row of its matrix`, async () => {
    const plain = await inspect(bertTensors(shape));
    const { anatomy, summary } = await inspect(packedBy(pack), { ...more });
    assert.equal(summary.model.parameters, plain.summary.model.parameters);
    assert.deepEqual(summary.model.heads, [4, 4]);
    assert.deepEqual(
      summary.heads.map(head => head.parameters),
      plain.summary.heads.map(head => head.parameters),
    );
    // 16 rows of query, key and value with a bias each, and 16 columns of the output.
    assert.equal(summary.heads[0]!.byteLength, 16 * ((4 * 64 * bits) / 8 + 3 * 4));
    assert.deepEqual([anatomy.unclaimed, anatomy.layers.length, anatomy.hidden], [[], 2, 64]);
    const { query, up, down } = anatomy.layers[0]!;
    assert.deepEqual([query.form, query.packed!.bits, up.out, up.in, down.out, down.in], ['quantized', bits, 96, 64, 64, 96]);
    const row = rowsOf(summary.tree).find(each => each.id === query.id)!;
    assert.equal(row.dtype, dtype);
    const packedBytes = (2 * (4 * 64 * 64 + 2 * 64 * 96) * bits) / 8;
    const counted = summary.model.dtypes.find(each => each.dtype === dtype)!.byteLength;
    assert.ok(counted >= packedBytes && counted <= 1.1 * packedBytes, `${counted} bytes of ${dtype}`);
    assert.equal(row.children!.length, pack('', 64, 64).length + 1);
    assert.equal(summary.tree.byteLength, summary.file.byteLength);
    assert.ok(!summary.tree.children!.some(each => each.id === 'buffers'));
  });

test('a matrix of bitsandbytes whose shape cannot be read is no matrix, and is shown with what it holds', async () => {
  const { pack } = tools['bitsandbytes, nf4']!;
  const tensors = packedBy(pack).map(tensor =>
    tensor.name.includes('quant_state') ? made(tensor.name, tensor.shape, 'uint8', new Uint8Array(tensor.byteLength)) : tensor,
  );
  const { summary } = await inspect(tensors);
  assert.equal(summary.model.layers, 0);
  assert.equal(summary.tree.byteLength, summary.file.byteLength);
});
