import type { Layer, Linear } from '../../anatomy/anatomy.ts';
import type { Graph, Node } from '../../model/graph.ts';
import type { Model } from '../../model/model.ts';
import type { Tensor } from '../../tensor/tensor.ts';

export type GraphModel = Model & { readonly graph: Graph };

/** Where a product's outputs are split into heads, by a shape that says their width. */
export interface HeadSplit {
  readonly reshape: Node;
  /** The stored integers in which the width stands, and how they go on: a whole shape, or one part of a Concat. */
  readonly stored: Tensor;
  readonly values: readonly number[];
  /** The Concat, and which of its inputs is the width. */
  readonly concat?: { readonly node: Node; readonly at: number };
}

/** Operators that hand the numbers of a head on. */
const plain = new Set(['Add', 'Mul', 'Div', 'Cast', 'Identity', 'Transpose']);

/** Nodes that are looked at on the way from a product to the scores. */
const FURTHEST = 16;

/**
 * The splits of query and key of a layer, each between its product and the product of the scores. undefined where the graph does it in
 * another way: by an operator that holds the width, by one shape for all of query, key and value, or by shapes that are computed.
 */
export async function headSplits(
  model: GraphModel,
  { query, key, heads, headDim }: Layer,
): Promise<readonly HeadSplit[] | undefined> {
  const producers = new Map<string, Node>();
  const readers = new Map<string, Node[]>();
  for (const node of model.graph.nodes) {
    for (const name of node.outputs) producers.set(name, node);
    for (const name of new Set(node.inputs)) readers.set(name, [...(readers.get(name) ?? []), node]);
  }
  const found: HeadSplit[] = [];
  for (const linear of [query, key]) {
    const split = await splitOf(model, linear, heads, headDim, producers, readers);
    if (!split) return undefined;
    found.push(split);
  }
  return found;
}

async function splitOf(
  model: GraphModel,
  { nodes: [start] }: Linear,
  heads: number,
  width: number,
  producers: ReadonlyMap<string, Node>,
  readers: ReadonlyMap<string, readonly Node[]>,
): Promise<HeadSplit | undefined> {
  let [value, split] = [start?.outputs[0] ?? '', undefined as HeadSplit | undefined];
  let isLast = true;
  for (let steps = 0; steps < FURTHEST; steps++) {
    const next: Node[] = [];
    for (const reader of readers.get(value) ?? [])
      if (reader.opType !== 'Shape' || !(await isBeside(model, reader, split ? 3 : 2, isLast, readers))) next.push(reader);
    const [node] = next;
    if (!node || next.length !== 1) return undefined;
    if (node.opType === 'MatMul') return split;
    if (node.opType === 'Reshape' && !split && node.inputs[0] === value) {
      split = await shapeOf(model, node, heads, width, producers);
      if (!split) return undefined;
    } else if (!plain.has(node.opType)) return undefined;
    if (node.opType === 'Transpose') isLast = integers(node)?.at(-1) === 3;
    value = node.outputs[0] ?? '';
  }
  return undefined;
}

/** Are only the first `count` sizes of a shape asked for? How wide a head is stands behind them as long as `isLast`. */
async function isBeside(
  model: GraphModel,
  shape: Node,
  count: number,
  isLast: boolean,
  readers: ReadonlyMap<string, readonly Node[]>,
): Promise<boolean> {
  const end = shape.attributes.get('end');
  if (end?.type === 'int' && end.value > 0 && end.value <= count) return isLast;
  for (const { opType, inputs } of readers.get(shape.outputs[0] ?? '') ?? []) {
    const index = opType === 'Gather' ? (await integersOf(model.tensors.get(inputs[1] ?? '')))?.values : undefined;
    if (!isLast || index?.length !== 1 || index[0]! < 0 || index[0]! >= count) return false;
  }
  return true;
}

function integers(node: Node): readonly number[] | undefined {
  const perm = node.attributes.get('perm');
  return perm?.type === 'ints' ? perm.value : undefined;
}

/** A head count, or what leaves it to be inferred. */
const counts = (value: number | undefined, heads: number): boolean => value === heads || value === -1;

async function shapeOf(model: GraphModel, reshape: Node, heads: number, width: number, producers: ReadonlyMap<string, Node>) {
  const name = reshape.inputs[1] ?? '';
  const whole = await integersOf(model.tensors.get(name));
  if (whole)
    return whole.values.length === 4 && counts(whole.values[2], heads) && whole.values[3] === width
      ? { reshape, ...whole }
      : undefined;
  const node = producers.get(name);
  if (node?.opType !== 'Concat' || node.inputs.length !== 4) return undefined;
  const [count, last] = [
    await integersOf(model.tensors.get(node.inputs[2]!)),
    await integersOf(model.tensors.get(node.inputs[3]!)),
  ];
  if (count?.values.length !== 1 || !counts(count.values[0], heads) || last?.values.join() !== String(width)) return undefined;
  return { reshape, ...last, concat: { node, at: 3 } };
}

async function integersOf(
  tensor: Tensor | undefined,
): Promise<{ readonly stored: Tensor; readonly values: readonly number[] } | undefined> {
  if (tensor?.dtype !== 'int64' || tensor.byteLength > 64) return undefined;
  return { stored: tensor, values: Array.from(new BigInt64Array((await tensor.bytes()).slice().buffer), Number) };
}
