import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Linear, Table } from '../../../src/core/anatomy/anatomy.ts';
import { detect } from '../../../src/core/anatomy/detect.ts';
import { say } from '../../../src/core/errors.ts';
import { held } from '../../../src/core/passes/computed.ts';
import type { ReplaceEdit } from '../../../src/core/passes/pass.ts';
import { asHalf } from '../../../src/core/passes/quantize/as-half.ts';
import { acting } from '../../../src/core/report/acting.ts';
import { weightError } from '../../../src/core/report/weight-error.ts';
import { apply, type Body } from '../../../src/core/rewrite/apply.ts';
import {
  generated,
  nameOf,
  noGenerated,
  openMemory,
  openSource,
  plainModels,
  planOf,
  quantized,
  writeToMemory,
} from './fixtures.ts';
import { numbersOf, run, someIds } from './run.ts';

const graphs = plainModels.filter(name => name.endsWith('.onnx') && !/external/.test(name));
const bases = graphs.filter(name => /(albert|distilbert|roberta|^bert)-base/.test(name));

/** Organs of a written model that hold integers. */
const narrowed = ({ anatomy }: Body): (Linear | Table)[] =>
  [...anatomy.linears, ...anatomy.tables].filter(organ => organ.form === 'quantized');

/** The source with the numbers that the integers of another model stand for. */
async function multipliedOut(source: Body, written: Body): Promise<Uint8Array> {
  const organs = new Map([...source.anatomy.linears, ...source.anatomy.tables].map(organ => [organ.id, organ]));
  const edits: ReplaceEdit[] = [];
  for (const organ of narrowed(written)) {
    const target = organs.get(organ.id)!;
    const found = await acting(organ);
    assert.ok(found, `${organ.id} is not understood`);
    const values = Float32Array.from(await found.rowsOf(0, found.rows));
    const turned = found.transposed !== ('transposed' in target && target.transposed);
    const stored = turned ? values.map((_, i) => values[(i % found.rows) * found.columns + Math.floor(i / found.rows)]!) : values;
    const tensor = held('', 'fp32', target.weight.shape, stored);
    edits.push({ kind: 'replace', target, weight: target.weight.dtype === 'fp16' ? asHalf(tensor) : tensor });
  }
  const changed = await apply(source, { edits, skipped: [] });
  return (await writeToMemory(changed.model)).get(nameOf(changed.model))!;
}

async function largestDifference(a: Uint8Array, b: Uint8Array): Promise<number> {
  const ids = someIds(2, 9);
  // Optimized, DequantizeLinear becomes MatMulNBits with activations of 8 bits.
  const [left, right] = [await run(a, ids, undefined, 'disabled'), await run(b, ids, undefined, 'disabled')];
  let [most, largest] = [0, 0];
  for (const [name, tensor] of Object.entries(left)) {
    const other = numbersOf(right[name]!);
    for (const [i, value] of numbersOf(tensor).entries()) {
      most = Math.max(most, Math.abs(value - other[i]!));
      largest = Math.max(largest, Math.abs(value));
    }
  }
  return most / largest;
}

const forms = [
  { bits: 4, embedding_bits: 4 },
  { bits: 4, embedding_bits: 8, block_size: 16, symmetric: true },
  { bits: 2, embedding_bits: 2, block_size: 32 },
];

for (const options of forms)
  test(`${JSON.stringify(options)}: onnxruntime computes what the integers stand for, to 1e-4 (fp16: 1e-2)`, {
    skip: noGenerated,
  }, async () => {
    for (const path of bases) {
      const source = await openSource(join(generated, path));
      try {
        const { files, body } = await quantized(join(generated, path), { scheme: 'int4', ...options });
        const model = { ...(await openMemory(files, nameOf(body.model))), config: body.model.config };
        const written = { model, anatomy: await detect(model) };
        assert.ok(narrowed(written).length > 0, path);
        const difference = await largestDifference(files.get(nameOf(body.model))!, await multipliedOut(source.body, written));
        assert.ok(difference < (path.includes('fp16') ? 1e-2 : 1e-4), `${path}: ${difference}`);
      } finally {
        await source.close();
      }
    }
  });

test('standard operators give what onnxruntime’s own give, to 1e-5 (fp16: 1e-2), at opset 21', {
  skip: noGenerated,
}, async () => {
  for (const [i, path] of graphs.entries())
    for (const options of [i % 2 === 0 ? { bits: 4 } : { bits: 8, symmetric: true }]) {
      const form = { scheme: 'int4', embedding_bits: 32, ...options };
      const contrib = await quantized(join(generated, path), form);
      const standard = await quantized(join(generated, path), { ...form, operators: 'standard' });
      if (contrib.plan.edits.length === 0) continue;
      assert.ok(standard.body.model.graph!.opsets.get('')! >= 21, path);
      assert.ok(
        standard.body.model.graph!.nodes.every(({ domain }) => domain === ''),
        path,
      );
      const difference = await largestDifference(contrib.bytes, standard.bytes);
      assert.ok(difference < (path.includes('fp16') ? 1e-2 : 1e-5), `${path}: ${difference}`);
    }
});

test('a weight error of 4 bits is what rounding leaves: 5 to 15 %, and less in smaller blocks', {
  skip: noGenerated,
}, async () => {
  const path = join(generated, 'bert-base/model.torchscript.onnx');
  const source = await openSource(path);
  try {
    const errorAt = async (block_size: number) => {
      const made = await apply(source.body, await planOf(source.body, { scheme: 'int4', block_size }));
      const [before, after] = [source.body, made].map(({ anatomy }) => anatomy.layers[0]!.up) as [Linear, Linear];
      return (await weightError(before, after))!.relative;
    };
    const [small, large] = [await errorAt(16), await errorAt(256)];
    assert.ok(small < large && small > 0.03 && large < 0.2, `${small} ${large}`);
  } finally {
    await source.close();
  }
});

test('bits by layer; the pooler has 8', { skip: noGenerated }, async () => {
  const source = await openSource(join(generated, 'bert-base/model.torchscript.onnx'));
  try {
    const count = source.body.anatomy.layers.length;
    const bits = Array.from({ length: count }, (_, i) => (i === 0 ? 2 : 4));
    const { edits } = await planOf(source.body, { scheme: 'int4', bits });
    const widthOf = (id: RegExp) => [
      ...new Set(edits.flatMap(edit => (edit.kind === 'quantize-blocks' && id.test(edit.target.id) ? [edit.bits] : []))),
    ];
    assert.deepEqual(widthOf(/layer\.0\./), [2]);
    assert.deepEqual(widthOf(/layer\.1\./), [4]);
    assert.deepEqual(widthOf(/pooler/), [8]);
  } finally {
    await source.close();
  }
});

test('a table that a decoder multiplies by has 8 bits, and it is said', { skip: noGenerated }, async () => {
  const source = await openSource(join(generated, 'tied-mlm/model.once.onnx'));
  try {
    const { edits, skipped } = await planOf(source.body, { scheme: 'int4', embedding_bits: 4 });
    const table = source.body.anatomy.tables.find(({ id }) => id.endsWith('word_embeddings'))!;
    assert.equal(edits.find(edit => 'target' in edit && edit.target.id === table.id)?.kind, 'quantize');
    assert.match(say(skipped.find(({ target }) => target === table.id)!.reason), /has 8 bits/);
  } finally {
    await source.close();
  }
});

test('bits that no operator takes are refused, and a checkpoint is packed in the same bits', { skip: noGenerated }, async () => {
  const source = await openSource(join(generated, 'bert-base/model.torchscript.onnx'));
  const tensors = await openSource(join(generated, 'bert-base/model.safetensors'));
  try {
    await assert.rejects(planOf(source.body, { scheme: 'int4', bits: 3 }), /bits is 3.*one of 2, 4, 8/);
    const { edits } = await planOf(tensors.body, { scheme: 'int4', bits: 2, block_size: 16 });
    const inLayers = edits.flatMap(edit => (edit.kind === 'store' && edit.target.id.startsWith('encoder') ? [edit] : []));
    assert.equal(inLayers.length, 6 * tensors.body.anatomy.layers.length);
    assert.ok(inLayers.every(({ bits, values }) => bits === 2 && values.dtype === 'int32'));
  } finally {
    await source.close();
    await tensors.close();
  }
});
