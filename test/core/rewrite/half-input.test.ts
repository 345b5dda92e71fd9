import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detect } from '../../../src/core/anatomy/detect.ts';
import type { Graph } from '../../../src/core/model/graph.ts';
import { newNode } from '../../../src/core/model/graph-edit.ts';
import type { Model } from '../../../src/core/model/model.ts';
import { held } from '../../../src/core/passes/computed.ts';
import { asHalf } from '../../../src/core/passes/quantize/as-half.ts';
import { apply } from '../../../src/core/rewrite/apply.ts';
import { newGraphModel } from '../../../src/core/session/new-graph-model.ts';
import { planOf, writeToMemory } from '../passes/fixtures.ts';
import { cosine, numbersOf, run, someIds } from '../passes/run.ts';

/** Even numbers around 0 with a row that stands out, as fp16. */
const half = (name: string, rows: number, columns: number) =>
  asHalf(
    held(
      name,
      'fp32',
      [rows, columns],
      Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i) / 4 + (i < columns ? 1 : 0)),
    ),
  );

/** ids -> Gather -> MatMul -> MatMul, all in fp16, the result in fp32. */
async function graphInHalf(): Promise<Model & { readonly graph: Graph }> {
  const tensors = [half('table', 100, 64), half('first', 64, 64), half('second', 64, 64)];
  const made = await newGraphModel({
    name: 'half',
    inputs: [{ name: 'input_ids', dtype: 'int64', shape: ['batch', 'sequence'] }],
    outputs: [{ name: 'y', dtype: 'fp32', shape: ['batch', 'sequence', 64] }],
    nodes: [
      newNode('Gather', ['table', 'input_ids'], ['rows']),
      newNode('MatMul', ['rows', 'first'], ['between']),
      newNode('MatMul', ['between', 'second'], ['product']),
      newNode('Cast', ['product'], ['y'], { attributes: { to: { type: 'int', value: 1 } } }),
    ],
    initializers: tensors.map(({ name }) => name),
  });
  const byteLength = tensors.reduce((sum, tensor) => sum + tensor.byteLength, 0);
  return { ...made, byteLength, tensors: new Map(tensors.map(tensor => [tensor.name, tensor])) };
}

test('a graph in fp16 is quantized as one in fp32 is, and stays within cosine 0.999 of itself', async () => {
  const model = await graphInHalf();
  const body = { model, anatomy: await detect(model) };
  const before = numbersOf((await run((await writeToMemory(model)).get('model.onnx')!, someIds(2, 7))).y!);
  for (const options of [{}, { operators: 'standard' }, { scheme: 'int8-weights' }]) {
    const plan = await planOf(body, options);
    assert.equal(plan.edits.length, 3);
    const bytes = (await writeToMemory((await apply(body, plan)).model)).get('model.onnx')!;
    const after = numbersOf((await run(bytes, someIds(2, 7))).y!);
    assert.ok(cosine(before, after) > 0.999, `${JSON.stringify(options)}: ${cosine(before, after)}`);
  }
  const { skipped } = await planOf(body, { scheme: 'int8-dynamic' });
  assert.equal(skipped.filter(({ reason }) => reason.text.includes('The scheme int8 handles it')).length, 3);
});
