import type { Attribute, Graph, Node } from '../../model/graph.ts';
import { withAttributes, withInputs } from '../../model/graph-edit.ts';
import { intOf } from '../uses.ts';

/** DequantizeLinear takes blocks, and integers of 4 bits, from this version on; those of 2 bits from the second. */
export const BLOCKS_OPSET = 21;
export const TWO_BITS_OPSET = 25;

/** The oldest version from which on a graph is raised: Softmax, Squeeze and ReduceSum meant something else before. */
const LEAST_OPSET = 13;

/** The IR version that came with an opset. Source: onnx, docs/Versioning.md. */
const irOf = (opset: number): number => (opset > TWO_BITS_OPSET - 1 ? 13 : 10);

/** Reductions whose axes became an input with opset 18. */
const reductions = new Set('Max Min Mean Prod L1 L2 LogSum LogSumExp SumSquare'.split(' ').map(name => `Reduce${name}`));
const AXES_AS_INPUT = 18;

/** What means something else, or is gone, in opset 25, by the version that changed it. Source: onnx, docs/Changelog.md. */
const changed: Readonly<Record<string, number>> = {
  BatchNormalization: 15,
  RoiAlign: 16,
  Resize: 19,
  AveragePool: 19,
  GridSample: 20,
  DFT: 20,
  GroupNormalization: 21,
  Upsample: 13,
  Scatter: 13,
};

/** Why a graph cannot be raised: it is too old, or what operator stands against it. undefined where it can. */
export function cannotRaise(graph: Graph, opset: number): 'old' | { readonly operator: string } | undefined {
  const now = graph.opsets.get('') ?? 1;
  if (now >= opset) return undefined;
  if (now < LEAST_OPSET) return 'old';
  for (const node of graph.nodes) {
    if (isChanged(node, now)) return { operator: node.opType };
    const inner = innerNodes(node).find(it => isChanged(it, now) || converts(it, now));
    if (inner) return { operator: inner.opType };
  }
  return undefined;
}

const isChanged = ({ opType, domain }: Node, now: number): boolean => domain === '' && now < (changed[opType] ?? 0);

const converts = ({ opType, domain }: Node, now: number): boolean =>
  domain === '' && now < AXES_AS_INPUT && (reductions.has(opType) || opType === 'Split');

function innerNodes(node: Node): Node[] {
  const found: Node[] = [];
  for (const attribute of node.attributes.values())
    if (attribute.type === 'graph') for (const inner of attribute.value.nodes) found.push(inner, ...innerNodes(inner));
  return found;
}

/**
 * A graph's nodes as the version `opset` writes them, one for each. Axes that become an input are handed to `constant`, which gives
 * them a name. Only for graphs that can be raised.
 */
export function raised(graph: Graph, opset: number, constant: (values: readonly number[]) => string): Graph {
  const now = graph.opsets.get('') ?? 1;
  if (now >= opset) return graph;
  const nodes = graph.nodes.map(node => (converts(node, now) ? converted(node, constant) : node));
  return { ...graph, nodes, opsets: new Map([...graph.opsets, ['', opset]]), irVersion: Math.max(graph.irVersion, irOf(opset)) };
}

function converted(node: Node, constant: (values: readonly number[]) => string): Node {
  if (node.opType === 'Split') {
    if (node.inputs[1]) return node;
    const count: Attribute = { type: 'int', value: node.outputs.length };
    return intOf(node, 'num_outputs', 0) > 0 ? node : withAttributes(node, { num_outputs: count });
  }
  const axes = node.attributes.get('axes');
  if (axes?.type !== 'ints') return node;
  return withAttributes(withInputs(node, [node.inputs[0]!, constant(axes.value)]), { axes: undefined });
}
