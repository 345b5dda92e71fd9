import type { Node } from '../model/graph.ts';
import { type DType, dtypes } from '../tensor/dtype.ts';
import type { GraphModel } from './draft.ts';

// A wide value is one of 32 or 64 bits of floating point. Whether a value is one follows from the operators: files need not say it.

export const isWide = (dtype: DType | undefined): boolean => dtype === 'fp32' || dtype === 'fp64';
const wideCodes: ReadonlySet<number> = new Set([dtypes.fp32.onnx, dtypes.fp64.onnx]);

/** Give integers or truths whatever they read. */
const neverWide = new Set(
  `Shape Size NonZero ArgMax ArgMin Equal Less Greater LessOrEqual GreaterOrEqual And Or Not Xor IsNaN IsInf BitShift BitwiseAnd
  BitwiseOr BitwiseXor BitwiseNot MatMulInteger ConvInteger QuantizeLinear QLinearMatMul QLinearConv QLinearAdd NonMaxSuppression
  StringNormalizer TfIdfVectorizer HashTable Multinomial Bernoulli`.split(/\s+/),
);
/** The input that says the type, where it is not the first. */
const saysType: Readonly<Record<string, number>> = {
  Where: 1,
  CastLike: 1,
  OneHot: 2,
  DequantizeLinear: 1,
  GatherBlockQuantized: 2,
};
/** Outputs behind the first that are integers or truths. */
const onlyFirst = new Set(['Dropout', 'MaxPool', 'TopK', 'Unique']);
const makesFloats = new Set(['RandomNormal', 'RandomUniform', 'HannWindow', 'HammingWindow', 'BlackmanWindow']);
/** Operators of onnxruntime whose first input does not say it. */
const givesFloats = new Set(
  `MatMulIntegerToFloat DynamicQuantizeMatMul QAttention QGemm EmbedLayerNormalization QEmbedLayerNormalization
  MatMulNBits MatMulBnb4 DequantizeLinear`.split(/\s+/),
);

/** Names of the wide values of a graph. undefined when an operator is met whose outputs cannot be told. */
export function wideValues({ graph, tensors }: GraphModel): Set<string> | undefined {
  const wide = new Set<string>();
  for (const { name, dtype } of graph.inputs) if (isWide(dtype)) wide.add(name);
  for (const name of graph.initializers) if (isWide(tensors.get(name)?.dtype)) wide.add(name);
  const own = new Set(graph.functions.map(({ domain, name }) => `${domain}::${name}`));
  for (const node of graph.nodes) {
    if (own.has(`${node.domain}::${node.opType}`)) return undefined;
    if (node.opType === 'Constant' && isWide(tensors.get(node.outputs[0]!)?.dtype)) wide.add(node.outputs[0]!);
    const given = wideOutputs(node, wide);
    if (!given) return undefined;
    for (const at of given) if (node.outputs[at]) wide.add(node.outputs[at]);
  }
  return wide;
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Indices of the outputs that are wide. */
function wideOutputs(node: Node, wide: ReadonlySet<string>): readonly number[] | undefined {
  const { opType, inputs, outputs, attributes, domain } = node;
  const all = range(outputs.length);
  const graphs = [...attributes.values()].flatMap(attribute => (attribute.type === 'graph' ? [attribute.value] : []));
  if (graphs.length > 0) return graphs[0]!.outputs.flatMap(({ dtype }, at) => (isWide(dtype) ? [at] : []));
  if (domain !== '' && domain !== 'ai.onnx' && domain !== 'com.microsoft') return undefined;
  if (opType === 'EmbedLayerNormalization' || opType === 'QEmbedLayerNormalization') return [0, 2];
  if (domain === 'com.microsoft' && givesFloats.has(opType)) return [0];
  if (opType === 'Constant' || neverWide.has(opType)) return [];
  if (opType === 'DynamicQuantizeLinear') return [1];
  const to = attributes.get(opType === 'Cast' ? 'to' : 'dtype');
  if (to?.type === 'int' && (opType === 'Cast' || opType === 'EyeLike' || makesFloats.has(opType) || opType.startsWith('Random')))
    return wideCodes.has(to.value) ? all : [];
  if (makesFloats.has(opType)) return all;
  if (opType === 'ConstantOfShape') {
    const value = attributes.get('value');
    return value?.type !== 'tensor' || isWide(value.value.dtype) ? all : [];
  }
  const says = inputs[saysType[opType] ?? 0] ?? '';
  if (!wide.has(says)) return [];
  return onlyFirst.has(opType) ? [0] : all;
}
