import type { Node } from '../model/graph.ts';
import { constantOf, isFloat, mayBeWeight } from './constant.ts';
import { type Product, productOf } from './product.ts';
import { integer, type Wiring } from './wiring.ts';

/**
 * The skeleton of a graph: where data enters, is multiplied by a matrix, or meets other data. What stands between two anchors
 * (scales, reshapes, activations, normalizations, quantization) acts on the data of one anchor and belongs to it.
 */
export interface Anchor {
  readonly kind: 'input' | 'table' | 'product' | 'join';
  /** Absent for an input of the graph. */
  readonly node?: Node;
  readonly product?: Product;
  /** The anchors whose data it reads, in the order of its inputs. */
  readonly from: readonly Anchor[];
  /** The values it reads, beside `from`. */
  readonly reads: readonly string[];
  /** Who reads its data: an anchor, or the caller when `by` is absent. */
  readonly uses: { readonly by?: Anchor; readonly value: string }[];
}

export interface Flow {
  readonly wiring: Wiring;
  /** value -> the anchor whose data it is. Masks, shapes, indices and statistics have none. */
  readonly root: ReadonlyMap<string, Anchor>;
  /** In topological order. */
  readonly anchors: readonly Anchor[];
  /** Softmax nodes and Attention operators, in topological order: what a layer is found around. */
  readonly attentions: readonly Node[];
}

/** One pass over the graph, linear in its nodes. */
export function flowOf(wiring: Wiring): Flow {
  const root = new Map<string, Anchor>();
  const anchors: Anchor[] = [];
  const attentions: Node[] = [];
  const add = (kind: Anchor['kind'], reads: readonly string[], outputs: readonly string[], node?: Node, product?: Product) => {
    const from = reads.map(value => root.get(value)!);
    const anchor: Anchor = { kind, from, reads, uses: [], ...(node && { node }), ...(product && { product }) };
    from.forEach((source, index) => void source.uses.push({ by: anchor, value: reads[index]! }));
    for (const output of outputs) root.set(output, anchor);
    anchors.push(anchor);
  };
  for (const input of wiring.graph.inputs) if (wiring.fed.has(input.name) && isHiddenState(input)) add('input', [], [input.name]);
  for (const node of wiring.order) {
    if (node.opType === 'Softmax' || isAttention(node)) attentions.push(node);
    if (cuts(node)) continue;
    const outputs = dataOutputs(node);
    if (readsTable(wiring, node)) {
      add('table', [], outputs, node);
      continue;
    }
    const reads = dataInputs(node).filter(value => root.has(value));
    const product = productOf(wiring, node);
    if (product) add('product', root.has(product.input) ? [product.input] : [], outputs, node, product);
    else if (meets(node, reads, root)) add('join', reads, outputs, node);
    else if (reads.length > 0) for (const output of outputs) root.set(output, root.get(reads[0]!)!);
  }
  for (const { name } of wiring.graph.outputs) root.get(name)?.uses.push({ value: name });
  return { wiring, root, anchors, attentions };
}

/** ONNX's own operator of opset 23, not onnxruntime's, which holds the weights as well. */
export const isAttention = (node: Node): boolean =>
  node.opType === 'Attention' && (node.domain === '' || node.domain === 'ai.onnx');

/** Hidden states that are fed instead of looked up: floats of [batch, sequence, hidden]. */
const isHiddenState = ({ dtype, shape }: Wiring['graph']['inputs'][number]): boolean =>
  (dtype === 'fp32' || dtype === 'fp16') && shape?.length === 3 && typeof shape[2] === 'number' && shape[2] > 1;

/** Their outputs say something about the data (its shape, whether it is equal to something) and are not the data. */
const about = new Set(
  'Shape Size ConstantOfShape NonZero Range Equal Greater GreaterOrEqual Less LessOrEqual Not And Or Xor IsNaN IsInf ArgMax ArgMin EyeLike'.split(
    ' ',
  ),
);

/** A reduction that keeps its dimension is a statistic (mean, variance, largest in a row); one that drops it is pooling. */
const cuts = (node: Node): boolean =>
  about.has(node.opType) || (node.opType.startsWith('Reduce') && integer(node, 'keepdims', 1) !== 0);

/** Scale and zero point of DynamicQuantizeLinear are statistics; so are mean and deviation of a normalization, and a dropout's mask. */
const firstOnly = new Set([
  'DynamicQuantizeLinear',
  'LayerNormalization',
  'Dropout',
  'SkipLayerNormalization',
  'BatchNormalization',
]);
const dataOutputs = (node: Node): readonly string[] =>
  (firstOnly.has(node.opType) ? node.outputs.slice(0, 1) : node.outputs).filter(output => output !== '');

const dataInputs = (node: Node): readonly string[] => (node.opType === 'Where' ? node.inputs.slice(1) : node.inputs);

/** Two sources meet, or the data meets itself in a product (attention whose query, key and value come out of one matrix). */
function meets(node: Node, reads: readonly string[], root: ReadonlyMap<string, Anchor>): boolean {
  if (reads.length < 2) return false;
  if (node.opType === 'MatMul' || node.opType === 'FusedMatMul' || node.opType === 'Einsum') return true;
  const first = root.get(reads[0]!);
  return reads.some(value => root.get(value) !== first);
}

/** A look-up in a constant table, or a slice of one: [rows, width], width over 1 (a scale for each row is no table). */
function readsTable(wiring: Wiring, node: Node): boolean {
  if (node.opType !== 'Gather' && node.opType !== 'Slice') return false;
  const table = constantOf(wiring, node.inputs[0] ?? '')?.tensor;
  if (!table || !mayBeWeight(table) || (node.opType === 'Slice' && !isFloat(table))) return false;
  return table.shape.length >= 2 && table.shape.at(-1)! > 1 && integer(node, 'axis', 0) === 0;
}

/** The nodes from an anchor to a value of its data, in order of execution. */
export function pathTo(flow: Flow, value: string): Node[] {
  const anchor = flow.root.get(value);
  const path: Node[] = [];
  for (
    let node = flow.wiring.producer.get(value);
    anchor && node && node !== anchor.node;
    node = flow.wiring.producer.get(value)
  ) {
    path.push(node);
    value = dataInputs(node).find(input => flow.root.get(input) === anchor)!;
  }
  return path.reverse();
}
