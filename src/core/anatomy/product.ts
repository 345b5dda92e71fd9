import type { Node } from '../model/graph.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type Constant, constantOf, isVector, mayBeWeight } from './constant.ts';
import { einsumWeight } from './einsum.ts';
import { biasedActivations, isPackedAttention, skips } from './fused.ts';
import { consumersOf, integer, type Wiring } from './wiring.ts';

/** A node that multiplies by a constant matrix, with what exporters and quantizers put around it. */
export interface Product {
  readonly node: Node;
  /** The value multiplied. */
  readonly input: string;
  readonly weight: Tensor;
  readonly bias?: Tensor;
  readonly scale?: Tensor;
  readonly zeroPoint?: Tensor;
  /** Column sums of the matrix, with which an offset of the activation is taken back. */
  readonly sums?: Tensor;
  readonly out: number;
  readonly in: number;
  /** The weight lies [in, out]. */
  readonly transposed: boolean;
  readonly form: 'dense' | 'quantized' | 'convolution';
  /** Of a convolution one wide: each output reads in / groups inputs. */
  readonly groups?: number;
  /** Heads, where the product itself splits its output into them. */
  readonly heads?: number;
}

interface Operands {
  readonly input: string;
  readonly weight: Constant;
  readonly scale?: Tensor | undefined;
  readonly zeroPoint?: Tensor | undefined;
  readonly bias?: Tensor | undefined;
  /** Nothing behind the operator belongs to the product. */
  readonly whole?: boolean;
  /** The operator's own convention: true when it takes [in, out]. */
  readonly transposed: boolean;
  /** Of the matrix the weight stands for, where the stored shape does not say it. */
  readonly size?: { readonly out: number; readonly in: number };
  readonly groups?: number;
  readonly heads?: number;
}

/** Does the node multiply by a constant matrix, and which? undefined for everything else. */
export function productOf(wiring: Wiring, node: Node): Product | undefined {
  const operands = operandsOf(wiring, node);
  if (!operands || !mayBeWeight(operands.weight.tensor)) return undefined;
  const { tensor } = operands.weight;
  const transposed = operands.transposed !== operands.weight.transposed;
  const { out, in: width } = operands.size ?? sizeOf(tensor, transposed);
  if (!(out > 0 && width > 0)) return undefined;
  const quantized = isQuantized(node, operands);
  const after = operands.whole ? {} : behind(wiring, node, out, quantized && node.opType === 'MatMulInteger');
  const scale = operands.weight.scale ?? operands.scale ?? after.scale;
  const zeroPoint = operands.weight.zeroPoint ?? operands.zeroPoint;
  const bias = operands.bias ?? after.bias;
  return {
    node,
    input: operands.input,
    weight: tensor,
    ...(bias && { bias }),
    ...(quantized && scale && { scale }),
    ...(quantized && zeroPoint && { zeroPoint }),
    ...(quantized && after.sums && { sums: after.sums }),
    out,
    in: width,
    transposed,
    form: operands.groups ? 'convolution' : quantized ? 'quantized' : 'dense',
    ...(operands.groups && operands.groups > 1 && { groups: operands.groups }),
    ...(operands.heads && { heads: operands.heads }),
  };
}

const sizeOf = ({ shape }: Tensor, transposed: boolean): { out: number; in: number } => {
  if (shape.length !== 2) return { out: 0, in: 0 };
  return transposed ? { out: shape[1]!, in: shape[0]! } : { out: shape[0]!, in: shape[1]! };
};

/** Products of integers, or of what stands for fewer bits. */
const quantizedProducts = new Set([
  'MatMulInteger',
  'MatMulIntegerToFloat',
  'DynamicQuantizeMatMul',
  'QLinearMatMul',
  'QGemm',
  'QAttention',
  'MatMulNBits',
  'MatMulBnb4',
]);

const isQuantized = (node: Node, { weight }: Operands): boolean =>
  weight.scale !== undefined || quantizedProducts.has(node.opType);

function operandsOf(wiring: Wiring, node: Node): Operands | undefined {
  const [first = '', second = '', third = '', fourth = ''] = node.inputs;
  const constant = (value: string) => (value === '' ? undefined : constantOf(wiring, value));
  switch (node.opType) {
    case 'MatMul':
    case 'FusedMatMul':
    case 'TransposeMatMul': {
      const weight = constant(second);
      const flipped = node.opType !== 'MatMul' && integer(node, 'transB', 0) === 1;
      return weight && { input: first, weight, transposed: !flipped };
    }
    case 'Einsum': {
      const found = einsumWeight(node, constant(first)?.tensor.shape, constant(second)?.tensor.shape);
      const weight = found && constant(node.inputs[found.operand]!);
      return weight && { ...found, input: node.inputs[1 - found.operand]!, weight };
    }
    case 'Conv': {
      const weight = constant(second);
      const [out = 0, each = 0, wide, ...more] = weight?.tensor.shape ?? [];
      if (!weight || wide !== 1 || more.length > 0) return undefined;
      const groups = Math.max(1, integer(node, 'group', 1));
      const size = { out, in: each * groups };
      return { input: first, weight, bias: constant(third)?.tensor, transposed: false, size, groups, whole: third !== '' };
    }
    case 'Attention':
    case 'PackedAttention': {
      const weight = isPackedAttention(wiring, node) ? constant(second) : undefined;
      return weight && { input: first, weight, bias: constant(third)?.tensor, transposed: true, whole: true };
    }
    case 'QAttention': {
      const weight = constant(second);
      const [scale, zeroPoint] = [constant(node.inputs[4] ?? '')?.tensor, constant(node.inputs[7] ?? '')?.tensor];
      return weight && { input: first, weight, bias: constant(third)?.tensor, scale, zeroPoint, transposed: true, whole: true };
    }
    case 'FusedGemm':
    case 'GemmFastGelu':
    case 'Gemm': {
      const weight = constant(second);
      return weight && { input: first, weight, bias: constant(third)?.tensor, transposed: integer(node, 'transB', 0) === 0 };
    }
    case 'MatMulInteger': {
      const weight = constant(second);
      return weight && { input: first, weight, zeroPoint: constant(fourth)?.tensor, transposed: true };
    }
    case 'QLinearMatMul': {
      const weight = constant(fourth);
      const [scale, zeroPoint] = [constant(node.inputs[4] ?? '')?.tensor, constant(node.inputs[5] ?? '')?.tensor];
      return weight && { input: first, weight, scale, zeroPoint, transposed: true };
    }
    case 'QGemm': {
      const weight = constant(fourth);
      const [scale, zeroPoint, bias] = [4, 5, 6].map(at => constant(node.inputs[at] ?? '')?.tensor);
      return weight && { input: first, weight, scale, zeroPoint, bias, transposed: integer(node, 'transB', 0) === 0 };
    }
    case 'DynamicQuantizeMatMul': {
      const weight = constant(second);
      const [scale, zeroPoint, bias] = [2, 3, 4].map(at => constant(node.inputs[at] ?? '')?.tensor);
      return weight && { input: first, weight, scale, zeroPoint, bias, transposed: true };
    }
    case 'MatMulIntegerToFloat': {
      const weight = constant(second);
      const [scale, zeroPoint, bias] = [3, 5, 6].map(at => constant(node.inputs[at] ?? '')?.tensor);
      return weight && { input: first, weight, scale, zeroPoint, bias, transposed: true };
    }
    case 'MatMulBnb4':
    case 'MatMulNBits': {
      const weight = constant(second);
      const size = { out: integer(node, 'N', 0), in: integer(node, 'K', 0) };
      const [scale, zeroPoint, bias] = [third, fourth, node.inputs[5] ?? ''].map(value => constant(value)?.tensor);
      return weight && { input: first, weight, scale, zeroPoint, bias, transposed: false, size };
    }
    default:
      return undefined;
  }
}

/** Operators that may stand between a product and its bias without changing what the bias is. */
const between = new Set(['Identity', 'Cast', 'QuantizeLinear', 'DequantizeLinear', 'Reshape', 'Squeeze', 'Unsqueeze']);

/** Longest way from an integer product to its bias: Cast, Mul by the rows' scale, Mul by the columns', a few casts. */
const furthest = 8;

interface Behind {
  readonly bias?: Tensor;
  readonly scale?: Tensor;
  readonly sums?: Tensor;
}

/** What follows a product: its bias, and what scales an integer product. Only while the value has a single reader. */
function behind(wiring: Wiring, node: Node, out: number, integers: boolean): Behind {
  let value = node.outputs[0] ?? '';
  const found: { -readonly [K in keyof Behind]: Behind[K] } = {};
  let combined: Tensor | undefined;
  for (let steps = 0; steps < furthest; steps++) {
    const readers = consumersOf(wiring, value);
    if (readers.length !== 1) break;
    const next = readers[0]!;
    const other = next.inputs.find(input => input !== value) ?? '';
    const constant = constantOf(wiring, other)?.tensor;
    const product = integers ? factorIn(wiring, other) : undefined;
    if ((next.opType === 'Add' || biasedActivations.has(next.opType)) && constant && isVector(constant, out)) {
      found.bias = constant;
      break;
    }
    const later = laterBias(wiring, next, value);
    if (later && isVector(later, out)) {
      found.bias = later;
      break;
    }
    if (next.opType === 'Add' && product && isVector(product, out)) found.sums = product;
    else if (next.opType === 'Mul' && integers) {
      if (constant) found.scale ??= constant;
      combined ??= product;
    } else if (!between.has(next.opType) || next.inputs[0] !== value) break;
    value = next.outputs[0] ?? '';
  }
  const scale = found.scale ?? combined;
  return { ...found, ...(scale && { scale }) };
}

/** A bias that an operator adds beside what else it does: a sum with a residual and its norm, or a sum of integers. */
function laterBias(wiring: Wiring, node: Node, value: string): Tensor | undefined {
  const skip = skips.get(node.opType);
  if (skip) return constantOf(wiring, node.inputs[skip.bias] ?? '')?.tensor;
  if (node.opType !== 'QLinearAdd') return undefined;
  return constantOf(wiring, node.inputs[node.inputs[0] === value ? 3 : 0] ?? '')?.tensor;
}

/** The constant in a product with something about the activation: with its scale (the weight's scale), with its offset (column sums). */
function factorIn(wiring: Wiring, value: string): Tensor | undefined {
  const node = wiring.producer.get(value);
  if (node?.opType !== 'Mul') return undefined;
  for (const input of node.inputs) {
    const constant = constantOf(wiring, input);
    if (constant) return constant.tensor;
  }
  return undefined;
}
