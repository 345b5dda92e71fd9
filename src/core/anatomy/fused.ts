import type { Node } from '../model/graph.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { constantOf, mayBeWeight } from './constant.ts';
import { integers, type Wiring } from './wiring.ts';

// Operators of onnxruntime (com.microsoft) that hold whole organs: which of their inputs is what.

/** A norm inside an operator: the inputs that are its gain and its shift. */
export const normInputs: ReadonlyMap<string, readonly [gain: number, shift: number | undefined]> = new Map([
  ['LayerNormalization', [1, 2]],
  ['SimplifiedLayerNormalization', [1, undefined]],
  ['RMSNormalization', [1, undefined]],
  ['SkipLayerNormalization', [2, 3]],
  ['SkipSimplifiedLayerNormalization', [2, undefined]],
  ['EmbedLayerNormalization', [5, 6]],
  ['QEmbedLayerNormalization', [5, 6]],
]);

/** The sum of two values and its norm in one: output 0 is normalized, output 3 is the sum as it is. Input `bias` belongs to the product before. */
export const skips: ReadonlyMap<string, { readonly bias: number }> = new Map([
  ['SkipLayerNormalization', { bias: 4 }],
  ['SkipSimplifiedLayerNormalization', { bias: 3 }],
]);

/** The operator normalizes what it has summed: output 0 of a skip or of embeddings. */
export const normalizesOwn = (node: Node): boolean => skips.has(node.opType) || embeddingOperators.has(node.opType);

/** An activation with the bias of the product before it. */
export const biasedActivations = new Set(['BiasGelu', 'FastGelu', 'BiasAdd', 'BiasDropout']);

/** A look-up within an operator: inputs of the table, of its index, and of what scales it. */
export interface LookUp {
  readonly role: 'word' | 'position' | 'tokenType';
  readonly table: number;
  readonly index: number;
  readonly scale?: number;
  readonly zeroPoint?: number;
}

export const embeddingOperators: ReadonlyMap<string, readonly LookUp[]> = new Map([
  [
    'EmbedLayerNormalization',
    [
      { role: 'word', table: 2, index: 0 },
      { role: 'position', table: 3, index: 8 },
      { role: 'tokenType', table: 4, index: 1 },
    ],
  ],
  [
    'QEmbedLayerNormalization',
    [
      { role: 'word', table: 2, index: 0, scale: 8, zeroPoint: 13 },
      { role: 'position', table: 3, index: 99, scale: 9, zeroPoint: 14 },
      { role: 'tokenType', table: 4, index: 1, scale: 10, zeroPoint: 15 },
    ],
  ],
]);

const noLookUps: readonly LookUp[] = [];

/** The tables that an operator of embeddings looks up; [] for every other one. */
export function lookUpsOf(wiring: Wiring, node: Node): readonly LookUp[] {
  const all = embeddingOperators.get(node.opType);
  if (!all) return noLookUps;
  return all.filter(({ table }) => {
    const tensor = constantOf(wiring, node.inputs[table] ?? '')?.tensor;
    return tensor !== undefined && tensor.shape.length === 2 && mayBeWeight(tensor);
  });
}

/** Attention with the matrix of query, key and value inside it: [in, query | key | value]. */
export const packedAttentions = new Set(['Attention', 'QAttention', 'PackedAttention']);

/** Attention that is given query, key and value, and their biases in one vector. */
export const unpackedAttentions = new Set(['MultiHeadAttention', 'PackedMultiHeadAttention']);

const isOnnx = ({ domain }: Node): boolean => domain === '' || domain === 'ai.onnx';

/** onnxruntime's operator of attention, with the weights inside. */
export const isPackedAttention = (wiring: Wiring, node: Node): boolean =>
  packedAttentions.has(node.opType) && (!isOnnx(node) || constantOf(wiring, node.inputs[1] ?? '')?.tensor.shape.length === 2);

/** Attention in one operator that is given query, key and value: ONNX's own of opset 23, or onnxruntime's. */
export const isGivenAttention = (node: Node): boolean =>
  isOnnx(node) ? node.opType === 'Attention' : unpackedAttentions.has(node.opType);

/** Columns of query, key and value in a packed matrix. */
export function packedSizes(node: Node, out: number): readonly [number, number, number] | undefined {
  const stated = integers(node, 'qkv_hidden_sizes');
  if (stated?.length === 3 && stated.every(size => size > 0) && stated.reduce((sum, size) => sum + size, 0) === out)
    return [stated[0]!, stated[1]!, stated[2]!];
  return out % 3 === 0 ? [out / 3, out / 3, out / 3] : undefined;
}

/** The biases of query, key and value that the operator of attention adds itself. */
export function attentionBias(wiring: Wiring, node: Node): Tensor | undefined {
  if (!unpackedAttentions.has(node.opType)) return undefined;
  const tensor = constantOf(wiring, node.inputs[3] ?? '')?.tensor;
  return tensor && mayBeWeight(tensor) && tensor.shape.length === 1 ? tensor : undefined;
}
