import type { Node } from '../model/graph.ts';
import { constantOf, isFloat, mayBeWeight } from './constant.ts';
import {
  embeddingOperators,
  isGivenAttention,
  isPackedAttention,
  type LookUp,
  lookUpsOf,
  normalizesOwn,
  skips,
} from './fused.ts';
import { type Product, productOf } from './product.ts';
import { integer, type Wiring } from './wiring.ts';

/**
 * The skeleton of a graph: where data enters, is multiplied by a matrix, or meets other data. What stands between two anchors
 * (scales, reshapes, activations, normalizations, quantization) acts on the data of one anchor and belongs to it.
 */
export interface Anchor {
  readonly kind: 'input' | 'table' | 'product' | 'join';
  /** Absent for an input of the graph. */
  readonly node?: Node | undefined;
  readonly product?: Product | undefined;
  /** Of a table that an operator of several look-ups reads. */
  readonly lookUp?: LookUp | undefined;
  /** The anchors whose data it reads, in the order of its inputs. */
  readonly from: readonly Anchor[];
  /** The values it reads, beside `from`. */
  readonly reads: readonly string[];
  /** Who reads its data: an anchor, or the caller when `by` is absent. */
  uses: { readonly by?: Anchor; readonly value: string }[];
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
  const building = new Building(wiring);
  for (const input of wiring.graph.inputs)
    if (wiring.fed.has(input.name) && isHiddenState(input)) building.add('input', none, [input.name]);
  const { order } = wiring;
  // Not for-of, and a method for each node: in a loop that runs once, over millions, every step would make an object.
  for (let at = 0; at < order.length; at++) building.take(order[at]!);
  const { root, anchors, attentions } = building;
  for (const { name } of wiring.graph.outputs) {
    const anchor = root.get(name);
    if (anchor) use(anchor, { value: name });
  }
  return { wiring, root, anchors, attentions };
}

const none: readonly never[] = [];

/** Nearly all are read once: a push into an empty list would make room for 16. */
function use(source: Anchor, by: Anchor['uses'][number]): void {
  if (source.uses.length === 0) source.uses = [by];
  else source.uses.push(by);
}

class Building {
  readonly wiring: Wiring;
  readonly root = new Map<string, Anchor>();
  readonly anchors: Anchor[] = [];
  readonly attentions: Node[] = [];

  constructor(wiring: Wiring) {
    this.wiring = wiring;
  }

  take(node: Node): void {
    const { wiring, root } = this;
    const packed = isPackedAttention(wiring, node);
    if (softmaxes.has(node.opType) || packed || isGivenAttention(node)) this.attentions.push(node);
    if (cuts(node)) return;
    const outputs = dataOutputs(node);
    const lookUps = lookUpsOf(wiring, node);
    if (lookUps.length > 0) {
      const from = lookUps.map(lookUp => this.link('table', none, none, node, undefined, lookUp));
      this.lead(
        outputs,
        this.link(
          'join',
          from,
          from.map(() => ''),
          node,
        ),
      );
      return;
    }
    if (readsTable(wiring, node)) {
      this.add('table', none, outputs, node);
      return;
    }
    const product = productOf(wiring, node);
    if (product && packed) {
      const source = root.get(product.input);
      const matrix = this.link('product', source ? [source] : none, source ? [product.input] : none, node, product);
      root.set(node.outputs[0] ?? '', this.link('join', [matrix], [''], node));
    } else if (product) this.add('product', root.has(product.input) ? [product.input] : none, outputs, node, product);
    else {
      const reads = dataInputs(node).filter(value => root.has(value));
      if (meets(node, reads, root)) this.add('join', reads, outputs, node);
      else if (reads.length > 0) this.lead(outputs, root.get(reads[0]!)!);
    }
  }

  add(kind: Anchor['kind'], reads: readonly string[], outputs: readonly string[], node?: Node, product?: Product): void {
    const from = reads.length === 0 ? none : reads.map(value => this.root.get(value)!);
    this.lead(outputs, this.link(kind, from, reads, node, product));
  }

  link(
    kind: Anchor['kind'],
    from: readonly Anchor[],
    reads: readonly string[],
    node?: Node,
    product?: Product,
    lookUp?: LookUp,
  ): Anchor {
    const anchor: Anchor = { kind, node, product, lookUp, from, reads, uses: [] };
    from.forEach((source, index) => void use(source, { by: anchor, value: reads[index]! }));
    this.anchors.push(anchor);
    return anchor;
  }

  lead(outputs: readonly string[], anchor: Anchor): void {
    for (const output of outputs) this.root.set(output, anchor);
  }
}

/** ONNX's own operator of opset 23, not onnxruntime's, which holds the weights as well. */
export const isAttention = (node: Node): boolean =>
  node.opType === 'Attention' && (node.domain === '' || node.domain === 'ai.onnx');

/** Where probabilities of attention are made. */
export const softmaxes = new Set(['Softmax', 'QLinearSoftmax', 'BiasSoftmax']);

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
  'SimplifiedLayerNormalization',
  'RMSNormalization',
  'Dropout',
  'BatchNormalization',
  'RemovePadding',
  'MultiHeadAttention',
  'PackedMultiHeadAttention',
]);
function dataOutputs({ opType, outputs }: Node): readonly string[] {
  const kept = firstOnly.has(opType)
    ? outputs.slice(0, 1)
    : skips.has(opType)
      ? [outputs[0], outputs[3]]
      : embeddingOperators.has(opType)
        ? [outputs[0], outputs[2]]
        : outputs;
  return kept.every(Boolean) ? (kept as string[]) : (kept.filter(Boolean) as string[]);
}

const dataInputs = (node: Node): readonly string[] => (node.opType === 'Where' ? node.inputs.slice(1) : node.inputs);

/** Products of matrices, of which both may be data. */
export const multiplications = new Set([
  'MatMul',
  'FusedMatMul',
  'TransposeMatMul',
  'Einsum',
  'MatMulInteger',
  'MatMulIntegerToFloat',
  'DynamicQuantizeMatMul',
  'QLinearMatMul',
]);

/** Two sources meet, or the data meets itself in a product (attention whose query, key and value come out of one matrix). */
function meets(node: Node, reads: readonly string[], root: ReadonlyMap<string, Anchor>): boolean {
  if (reads.length < 2) return false;
  if (multiplications.has(node.opType) || isGivenAttention(node)) return true;
  const first = root.get(reads[0]!);
  return reads.some(value => root.get(value) !== first);
}

/** A look-up in a constant table, or a slice of one: [rows, width], width over 1 (a scale for each row is no table). */
function readsTable(wiring: Wiring, node: Node): boolean {
  if (!['Gather', 'GatherBlockQuantized', 'Slice'].includes(node.opType)) return false;
  const table = constantOf(wiring, node.inputs[0] ?? '')?.tensor;
  if (!table || !mayBeWeight(table) || (node.opType === 'Slice' && !isFloat(table))) return false;
  return (
    table.shape.length >= 2 &&
    table.shape.at(-1)! > 1 &&
    integer(node, node.opType === 'GatherBlockQuantized' ? 'gather_axis' : 'axis', 0) === 0
  );
}

/** Exporters leave some dozen nodes between two anchors. What stands further from a value is not looked at, so that no chain is followed again and again. */
const longestPath = 1000;

/** The nodes from an anchor to a value of its data, in order of execution; its own node first where that normalizes what it sums. */
export function pathTo(flow: Flow, value: string): Node[] {
  const anchor = flow.root.get(value);
  const path: Node[] = [];
  for (
    let node = flow.wiring.producer.get(value);
    anchor && node && node !== anchor.node && path.length < longestPath;
    node = flow.wiring.producer.get(value)
  ) {
    path.push(node);
    value = dataInputs(node).find(input => flow.root.get(input) === anchor)!;
  }
  if (anchor?.node && normalizesOwn(anchor.node) && anchor.node.outputs[0] === value) path.push(anchor.node);
  return path.reverse();
}
