import assert from 'node:assert/strict';
import type { detect } from '../../../src/core/anatomy/detect.ts';
import type { Attribute, Graph, Node } from '../../../src/core/model/graph.ts';
import type { Model } from '../../../src/core/model/model.ts';
import { summarize } from '../../../src/core/report/summary.ts';
import type { Tensor } from '../../../src/core/tensor/tensor.ts';
import { made, madeGraph, madeModel } from './made-models.ts';

export const width = 4;

/** Writes a graph node by node. Names say nothing. */
export class Writer {
  readonly tensors: Tensor[] = [];
  readonly nodes: Node[] = [];

  stored(shape: readonly number[], ...more: [Tensor['dtype']?, Uint8Array?]): string {
    const name = `t${this.tensors.length}`;
    this.tensors.push(made(name, shape, ...more));
    return name;
  }

  /** `outputs`: how many; the first is returned. */
  add(
    opType: string,
    inputs: readonly string[],
    attributes: Record<string, number | string | number[]> = {},
    outputs = 1,
  ): string {
    const names = Array.from({ length: outputs }, (_, index) => `v${this.nodes.length}.${index}`);
    const domain = Object.hasOwn(attributes, 'microsoft') ? 'com.microsoft' : '';
    const entries = Object.entries(attributes).map(([name, value]): [string, Attribute] => [name, attribute(value)]);
    this.nodes.push({ opType, domain, name: '', inputs, outputs: names, attributes: new Map(entries), metadata: {} });
    return names[0]!;
  }

  model(output: string, more: Partial<Graph> = {}): Model {
    const graph = madeGraph(this.nodes, ['input_ids', 'attention_mask'], [output], this.tensors);
    return madeModel(this.tensors, {}, { ...graph, ...more });
  }
}

const attribute = (value: number | string | number[]): Attribute =>
  typeof value === 'number'
    ? { type: 'int', value }
    : typeof value === 'string'
      ? { type: 'string', value }
      : { type: 'ints', value };
export const microsoft = { microsoft: 1 };

/** One layer as onnxruntime's optimizer leaves it; the attention is given. */
export function fused(attention: (writer: Writer, x: string) => string): { model: Model; writer: Writer } {
  const writer = new Writer();
  const vector = () => writer.stored([width]);
  const tables = [writer.stored([9, width]), writer.stored([7, width]), writer.stored([2, width])];
  const x = writer.add('EmbedLayerNormalization', ['input_ids', '', ...tables, vector(), vector()], microsoft);
  const context = attention(writer, x);
  const output = writer.add('MatMul', [context, writer.stored([width, width])]);
  const attended = writer.add('SkipLayerNormalization', [output, x, vector(), vector(), vector()], microsoft);
  const up = writer.add('MatMul', [attended, writer.stored([width, 6])]);
  const act = writer.add('BiasGelu', [up, writer.stored([6])], microsoft);
  const down = writer.add('MatMul', [act, writer.stored([6, width])]);
  const y = writer.add('SkipLayerNormalization', [down, attended, vector(), vector(), vector()], microsoft);
  return { model: writer.model(y), writer };
}

/** Every number but single ones is a parameter of some organ, and the rows sum to the file. */
export function isWhole(model: Model, anatomy: Awaited<ReturnType<typeof detect>>): void {
  const { tree, model: summary } = summarize(model, anatomy);
  const numbers = (tensor: Tensor) =>
    tensor.dtype === 'fp32' && tensor.shape.length > 0 ? tensor.shape.reduce((product, size) => product * size, 1) : 0;
  assert.deepEqual(anatomy.unclaimed, []);
  assert.equal(
    summary.parameters,
    [...model.tensors.values()].reduce((sum, tensor) => sum + numbers(tensor), 0),
  );
  assert.equal(tree.byteLength, model.byteLength);
}

/** Scores, softmax and sum of three values that are split into heads. */
export function attend(writer: Writer, query: string, key: string, value: string): string {
  const scores = writer.add('MatMul', [query, writer.add('Transpose', [key], { perm: [0, 1, 3, 2] })]);
  return writer.add('MatMul', [writer.add('Softmax', [scores]), value]);
}
