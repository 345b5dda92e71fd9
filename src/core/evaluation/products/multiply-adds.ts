import { integer } from '../../anatomy/wiring.ts';
import type { Graph, Node } from '../../model/graph.ts';
import { followShapes } from './follow-shapes.ts';
import { type Known, known, sizeOf } from './known.ts';
import type { StoredShapes } from './stored-shapes.ts';

/**
 * Multiplications with an addition that the products of a graph take for one run, counted from the shapes of its own MatMul, Gemm and
 * fused or quantized forms; what is done element by element is not counted.
 * returns  undefined where the shape of a product cannot be told without running
 */
export function multiplyAdds({ graph, stored, fills }: StoredShapes, batch: number, length: number): number | undefined {
  const values = new Map<string, Known>(stored);
  for (const { name, shape } of graph.inputs) if (!stored.has(name)) values.set(name, known(inputShape(shape, batch, length)));
  let total = 0;
  for (const node of graph.nodes) {
    if (hasGraphs(node) && [...graphsOf(node)].some(holdsProducts)) return undefined;
    const given = node.inputs.map(input => values.get(input));
    if (node.opType === 'ConstantOfShape') given.push(fills.get(node.outputs[0]!));
    const outputs = followShapes(node, given);
    const count = products[node.opType];
    if (count) {
      const found = given[0] && count(given, node, outputs[0]);
      if (!found) return undefined;
      total += found;
    }
    for (const [i, output] of node.outputs.entries()) {
      const it = outputs[i];
      if (it && !stored.has(output)) values.set(output, it);
    }
  }
  return total;
}

/** Free sizes of [batch, sequence] inputs; what the file fixes stays. */
const inputShape = (shape: Graph['inputs'][number]['shape'], batch: number, length: number): number[] =>
  (shape ?? ['batch', 'sequence']).map((size, axis) =>
    typeof size === 'number' && size > 0 ? size : axis === 0 ? batch : length,
  );

type Count = (given: readonly (Known | undefined)[], node: Node, output: Known | undefined) => number | undefined;

/** Each number of the output is a sum over the width of the first factor. */
const byWidth: Count = ([a], _, output) => output && sizeOf(output.shape) * a!.shape.at(-1)!;

/** Attention over [B, T, C] with its three matrices in one: those, and scores and their use. */
const attention: Count = ([data, weight]) => {
  const [batch, length] = data!.shape as [number, number];
  const width = weight?.shape.at(-1);
  return width && sizeOf(data!.shape) * width + 2 * batch * length * length * (width / 3);
};

const products: Readonly<Record<string, Count>> = {
  MatMul: byWidth,
  MatMulInteger: byWidth,
  MatMulIntegerToFloat: byWidth,
  DynamicQuantizeMatMul: byWidth,
  QLinearMatMul: byWidth,
  MatMulNBits: byWidth,
  FusedMatMul: ([a], node, output) => output && sizeOf(output.shape) * a!.shape.at(integer(node, 'transA', 0) ? -2 : -1)!,
  Gemm: ([a], node, output) => output && sizeOf(output.shape) * a!.shape.at(integer(node, 'transA', 0) ? 0 : 1)!,
  Attention: attention,
  QAttention: attention,
  // Their shapes are not followed.
  MultiHeadAttention: () => undefined,
  Einsum: () => undefined,
  Conv: () => undefined,
};

const hasGraphs = ({ attributes }: Node): boolean => [...attributes.values()].some(it => it.type === 'graph');

function* graphsOf({ attributes }: Node): Generator<Graph> {
  for (const it of attributes.values()) if (it.type === 'graph') yield it.value;
}

const holdsProducts = (graph: Graph): boolean =>
  graph.nodes.some(node => Object.hasOwn(products, node.opType) || [...graphsOf(node)].some(holdsProducts));
