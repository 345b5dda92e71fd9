import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { memoryOutput } from '../../../src/core/bytes/memory.ts';
import { onnx } from '../../../src/core/format/onnx/onnx.ts';
import type { Node } from '../../../src/core/model/graph.ts';
import { withAttributes } from '../../../src/core/model/graph-edit.ts';
import type { Model } from '../../../src/core/model/model.ts';
import { asHalf } from '../../../src/core/passes/quantize/as-half.ts';
import { asGraph } from '../../../src/core/session/as-graph.ts';
import { floatOfHalf } from '../../../src/core/tensor/halves.ts';
import { numbersOf } from '../passes/run.ts';
import { furthest, outputsOf, written } from './exported.ts';
import { fromFormula } from './formula.ts';

const truths: any[] = JSON.parse(readFileSync(join(import.meta.dirname, 'truths.json'), 'utf8'));

/** ONNX's numbers of types: fp32 is 1, fp16 is 10. */
const castToHalf = (node: Node): Node => {
  const to = node.attributes.get('to');
  return node.opType === 'Cast' && to?.type === 'int' && to.value === 1
    ? withAttributes(node, { to: { type: 'int', value: 10 } })
    : node;
};

/** Every number of a graph in fp16, masks and epsilons too: what the simplest of converters makes of it. */
function halved(model: Model): Model {
  const graph = model.graph!;
  const outputs = graph.outputs.map(each => ({ ...each, dtype: 'fp16' as const }));
  const tensors = [...model.tensors].map(([name, tensor]) => [name, tensor.dtype === 'fp32' ? asHalf(tensor) : tensor] as const);
  return { ...model, graph: { ...graph, nodes: graph.nodes.map(castToHalf), outputs }, tensors: new Map(tensors) };
}

/** onnxruntime gives a Float16Array, or the bits where JavaScript has none. */
const floats = (data: ArrayLike<number>): number[] =>
  Array.from(data, value => (data instanceof Uint16Array ? floatOfHalf(value) : Number(value)));

for (const name of ['BertForMultipleChoice', 'MPNetModel', 'DebertaV2Model', 'MobileBertModel'])
  test(`${name}: with every number in fp16, padding is still not seen: outputs within 1e-2, a row without a token finite`, async () => {
    const truth = truths.find(each => each.class === name);
    const body = await fromFormula(truth.tensors, truth.config);
    const files = new Map<string, Uint8Array>();
    const output = memoryOutput(files);
    await onnx.write(halved((await asGraph(body)).model), output, 'half.onnx');
    await output.commit();
    const empty = (rows: any): any => (Array.isArray(rows[0]) ? [...rows.slice(0, -1), empty(rows.at(-1))] : rows.map(() => 0));
    for (const attention_mask of [truth.inputs.attention_mask, empty(truth.inputs.attention_mask)]) {
      const inputs = { ...truth.inputs, attention_mask };
      const [half, full] = [await outputsOf(files.get('half.onnx')!, inputs), await outputsOf(await written(body), inputs)];
      for (const output of half.names) {
        const made = floats(half.values[output]!.data as ArrayLike<number>);
        assert.ok(made.every(Number.isFinite), output);
        if (attention_mask !== truth.inputs.attention_mask) continue;
        assert.ok(furthest(made, numbersOf(full.values[output]!)) <= 1e-2, output);
      }
    }
  });
