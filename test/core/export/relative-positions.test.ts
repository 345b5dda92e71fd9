import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryFolder, memoryOutput, memorySource } from '../../../src/core/bytes/memory.ts';
import { GraphBuilder } from '../../../src/core/export/graph-builder.ts';
import { relativeScores } from '../../../src/core/export/relative-positions.ts';
import { onnx } from '../../../src/core/format/onnx/onnx.ts';
import type { Tensor } from '../../../src/core/tensor/tensor.ts';
import { numbersOf } from '../passes/run.ts';
import { outputsOf } from './exported.ts';

/** First distance of each bucket of 32 for keys before the query, from MPNetEncoder.relative_position_bucket of transformers 5.23. */
const first = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91];

test('distances fall into the buckets that transformers puts them in, up to 300 tokens apart', async () => {
  const values = Float32Array.from({ length: 32 }, (_, row) => row);
  const bytes = async (start?: number, end?: number) => new Uint8Array(values.buffer).slice(start, end);
  const weight: Tensor = { name: 'w', dtype: 'fp32', shape: [32, 1], byteLength: 128, bytes };
  const builder = new GraphBuilder(1e-12);
  const ids = builder.input('input_ids');
  const table = { id: 'encoder.relative_attention_bias', weight, rows: 32, width: 1, form: 'dense', nodes: [] } as const;
  builder.output('scores', relativeScores(builder, ids, table), [1, 1, 'sequence', 'sequence']);
  const empty = await onnx.open(memorySource('m', Uint8Array.of(0x08, 8, 0x42, 2, 0x10, 17, 0x3a, 0)), memoryFolder());
  const { nodes, inputs, outputs, tensors } = builder;
  const graph = { ...empty.graph!, name: 'scores', nodes, inputs, outputs, initializers: [...tensors.keys()] };
  const files = new Map<string, Uint8Array>();
  const output = memoryOutput(files);
  await onnx.write({ ...empty, graph, tensors }, output, 'm.onnx');
  await output.commit();
  const length = 301;
  const { values: found } = await outputsOf(files.get('m.onnx')!, { input_ids: [Array(length).fill(5)] });
  assert.deepEqual(found.scores!.dims, [1, 1, length, length]);
  const scores = numbersOf(found.scores!);
  for (let query = 0; query < length; query++)
    for (let key = 0; key < length; key++) {
      const bucket = first.findLastIndex(distance => distance <= Math.abs(query - key));
      assert.equal(scores[query * length + key], bucket + (key > query ? 16 : 0), `query ${query}, key ${key}`);
    }
});
