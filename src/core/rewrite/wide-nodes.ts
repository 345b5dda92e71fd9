import type { Node } from '../model/graph.ts';
import { capturedBy } from '../model/reads.ts';
import type { GraphModel } from './draft.ts';

/** Those that onnxruntime's converter leaves (float16.py, DEFAULT_OP_BLOCK_LIST) as far as a text model may have them. */
const withoutHalf =
  'Normalizer OneHotEncoder RandomUniformLike NonMaxSuppression TopK RoiAlign Range CumSum Min Max Upsample Resize OneHot';
/** Sums and squares leave the range of 16 bits, or their roots lose what is small: norms that are written out. */
const imprecise =
  'Pow Sqrt Reciprocal ReduceMean ReduceSum ReduceSumSquare ReduceL1 ReduceL2 ReduceProd ReduceLogSumExp Exp Log LpNormalization InstanceNormalization GroupNormalization BatchNormalization';
/** They work on 8 bits, and give or take 32. */
const quantizing =
  'QuantizeLinear DequantizeLinear DynamicQuantizeLinear MatMulInteger ConvInteger QLinearMatMul QLinearConv RandomNormal RandomUniform RandomNormalLike EyeLike';
const blocked = new Set([withoutHalf, imprecise, quantizing].join(' ').split(/\s+/));

/** Of what is wide alone they make what is wide: so a norm stays in one piece, and sizes that are computed from shapes stay exact. */
const follows = new Set(
  `Add Sub Mul Div Neg Abs Floor Ceil Round Sign Identity Cast Unsqueeze Squeeze Reshape Expand Flatten Slice Concat Transpose Where
  Erf Sin Cos Tile`.split(/\s+/),
);

/**
 * The nodes that keep computing in 32 bits, of those that read or give wide values. `kept` are constants that stay wide: what
 * multiplies by them stays too.
 */
export function wideNodes(
  { graph, tensors }: GraphModel,
  wide: ReadonlySet<string>,
  kept: ReadonlySet<string>,
): ReadonlySet<Node> {
  const found = new Set<Node>();
  const producer = new Map<string, Node>();
  const isConstant = (name: string) => tensors.has(name);
  const means = meansOf(graph.nodes);
  const factors = factorsOf(graph.nodes);
  for (const node of graph.nodes) {
    for (const name of node.outputs) producer.set(name, node);
    const floats = node.inputs.filter(name => wide.has(name));
    const gives = node.outputs.some(name => wide.has(name));
    if (floats.length === 0 && !gives) continue;
    const data = floats.filter(name => !isConstant(name));
    const fromWide = (name: string) => found.has(producer.get(name)!);
    if (
      blocked.has(node.opType) ||
      node.domain === 'com.microsoft' ||
      [...capturedBy(node)].length > 0 ||
      floats.some(name => kept.has(name)) ||
      isCast(node, gives, floats.length > 0) ||
      movesBatch(node, factors) ||
      (node.opType === 'Sub' && means.has(node.inputs[1]!) && means.get(node.inputs[1]!) === node.inputs[0]) ||
      (follows.has(node.opType) && data.length > 0 && data.every(fromWide))
    )
      found.add(node);
  }
  return found;
}

/** Between integers and floating point: numbers that are counted. */
const isCast = (node: Node, gives: boolean, reads: boolean): boolean => node.opType === 'Cast' && gives !== reads;

/**
 * Does a MatMul read what this Transpose of three axes gives? In fp16 onnxruntime 1.30 makes the two a FusedMatMul over moved
 * batches, and then dies in another optimization.
 */
function movesBatch({ opType, attributes, outputs }: Node, factors: ReadonlySet<string>): boolean {
  const order = attributes.get('perm');
  return opType === 'Transpose' && order?.type === 'ints' && order.value.length === 3 && factors.has(outputs[0]!);
}

const factorsOf = (nodes: readonly Node[]): ReadonlySet<string> =>
  new Set(nodes.flatMap(({ opType, inputs }) => (opType === 'MatMul' ? inputs : [])));

/** What ReduceMean gives, and what it is the mean of. */
function meansOf(nodes: readonly Node[]): Map<string, string> {
  return new Map(nodes.filter(({ opType }) => opType === 'ReduceMean').map(({ inputs, outputs }) => [outputs[0]!, inputs[0]!]));
}
