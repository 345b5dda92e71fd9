import type { Node } from '../model/graph.ts';
import type { Shape, Tensor } from '../tensor/tensor.ts';
import type { Packing } from './anatomy.ts';
import { type Behind, behind } from './behind.ts';
import { compactAt, compactOf, type FoundCompact } from './compact.ts';
import { type Constant, constantOf, mayBeWeight } from './constant.ts';
import { einsumWeight } from './einsum.ts';
import { isPackedAttention } from './fused.ts';
import { smoothingOf } from './smoothing.ts';
import { integer, type Wiring } from './wiring.ts';

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
  /** What each input channel is multiplied by before it is quantized. */
  readonly smoothing?: Tensor;
  readonly out: number;
  readonly in: number;
  /** The weight lies [in, out]. */
  readonly transposed: boolean;
  readonly form: 'dense' | 'factored' | 'quantized' | 'convolution';
  /** Of a factored one: the product of the input, and the one of what that gives. `node` and `weight` are the second's. */
  readonly factors?: readonly [first: Product, second: Product];
  /** Of a factored one in a compact form. `node` is the last one. */
  readonly compact?: FoundCompact;
  /** Of a convolution one wide: each output reads in / groups inputs. */
  readonly groups?: number;
  readonly packed?: Packing;
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
  readonly packed?: Packing | undefined;
}

/** Does the node multiply by a constant matrix, and which? undefined for everything else. */
export function productOf(wiring: Wiring, node: Node): Product | undefined {
  const compact = compactAt(wiring, node);
  if (compact === 'within') return undefined;
  const whole = compact && compactOf(compact.kind, compact.weights);
  if (compact && whole) {
    const { bias } = behind(wiring, node, whole.out, { isConvolution: true });
    const [weight] = compact.weights as [Tensor];
    const { input } = compact;
    return {
      node,
      input,
      weight,
      ...(bias && { bias }),
      out: whole.out,
      in: whole.in,
      transposed: true,
      form: 'factored',
      compact,
    };
  }
  const operands = operandsOf(wiring, node);
  if (!operands || !mayBeWeight(operands.weight.tensor)) return undefined;
  const { tensor } = operands.weight;
  const transposed = operands.transposed !== operands.weight.transposed;
  const { out, in: width } = operands.size ?? sizeOf(operands.weight.matrix ?? tensor.shape, transposed);
  if (!(out > 0 && width > 0)) return undefined;
  const quantized = isQuantized(node, operands);
  const after: Behind = operands.whole
    ? {}
    : behind(wiring, node, out, {
        integers: quantized && integers.has(node.opType),
        rows: node.opType === 'MatMulIntegerToFloat',
        isConvolution: operands.groups !== undefined,
      });
  const smoothing = quantized ? smoothingOf(wiring, operands.input, width) : undefined;
  const scale = operands.weight.scale ?? operands.scale ?? after.scale;
  const zeroPoint = operands.weight.zeroPoint ?? operands.zeroPoint;
  const bias = operands.bias ?? after.bias;
  if (tensor.shape.length === 3 && operands.groups && !isConvolution(node) && !bias) return undefined;
  const product: { -readonly [K in keyof Product]: Product[K] } = {
    node,
    input: operands.input,
    weight: tensor,
    out,
    in: width,
    transposed,
    form: operands.groups ? 'convolution' : quantized ? 'quantized' : 'dense',
  };
  if (bias) product.bias = bias;
  if (quantized && scale) product.scale = scale;
  if (quantized && zeroPoint) product.zeroPoint = zeroPoint;
  if (quantized && after.sums) product.sums = after.sums;
  if (smoothing) product.smoothing = smoothing;
  if (operands.groups && operands.groups > 1) product.groups = operands.groups;
  if (operands.heads) product.heads = operands.heads;
  if (operands.packed) product.packed = operands.packed;
  return product;
}

const sizeOf = (shape: Shape, transposed: boolean): { out: number; in: number } => {
  if (shape.length !== 2) return { out: 0, in: 0 };
  return transposed ? { out: shape[1]!, in: shape[0]! } : { out: shape[0]!, in: shape[1]! };
};

/** Products of integers, or of what stands for fewer bits. */
const quantizedProducts = new Set([
  'MatMulInteger',
  'ConvInteger',
  'MatMulIntegerToFloat',
  'DynamicQuantizeMatMul',
  'QLinearMatMul',
  'QLinearConv',
  'QGemm',
  'QAttention',
  'MatMulNBits',
  'MatMulBnb4',
]);

/** Convolutions, and which of their inputs is the kernel. */
export const convolutions: ReadonlyMap<string, number> = new Map([
  ['Conv', 1],
  ['ConvInteger', 1],
  ['QLinearConv', 3],
]);

const isConvolution = ({ opType }: Node): boolean => convolutions.has(opType);

/** Their results are integers, which are scaled behind them. */
const integers = new Set(['MatMulInteger', 'ConvInteger']);

const isQuantized = (node: Node, { weight }: Operands): boolean =>
  weight.scale !== undefined || quantizedProducts.has(node.opType);

/** Groups one behind the other, [groups, in / groups, out / groups]: ConvBERT's grouped linear layers. A single one is a matrix. */
function groupsOf({ shape }: Tensor, flipped: boolean): Pick<Operands, 'size' | 'groups'> {
  if (shape.length !== 3) return {};
  const [groups, ...sides] = shape as [number, number, number];
  const [width, out] = (flipped ? sides.reverse() : sides) as [number, number];
  return { size: { out: groups * out, in: groups * width }, ...(groups > 1 && { groups }) };
}

/** How the weights of onnxruntime's operators for blocks lie. */
export function blockPacking(node: Node): Packing | undefined {
  const [bits, blockSize] = [integer(node, 'bits', 4), integer(node, 'block_size', 0)];
  if (!(bits >= 1 && bits <= 8 && blockSize > 0)) return undefined;
  return { method: 'onnxruntime', bits, dtype: `int${bits}`, tensors: [], blockSize };
}

function operandsOf(wiring: Wiring, node: Node): Operands | undefined {
  const [first = '', second = '', third = '', fourth = ''] = node.inputs;
  const constant = (value: string) => (value === '' ? undefined : constantOf(wiring, value));
  switch (node.opType) {
    case 'MatMul':
    case 'FusedMatMul':
    case 'TransposeMatMul': {
      const weight = constant(second);
      const flipped = node.opType !== 'MatMul' && integer(node, 'transB', 0) === 1;
      return weight && { input: first, weight, transposed: !flipped, ...(!weight.matrix && groupsOf(weight.tensor, flipped)) };
    }
    case 'Einsum': {
      const found = einsumWeight(node, constant(first)?.tensor.shape, constant(second)?.tensor.shape);
      const weight = found && constant(node.inputs[found.operand]!);
      return weight && { ...found, input: node.inputs[1 - found.operand]!, weight };
    }
    case 'QLinearConv':
    case 'ConvInteger':
    case 'Conv': {
      const weight = constant(node.inputs[convolutions.get(node.opType)!] ?? '');
      const [out = 0, each = 0, wide, ...more] = weight?.tensor.shape ?? [];
      if (!weight || wide !== 1 || more.length > 0) return undefined;
      const groups = Math.max(1, integer(node, 'group', 1));
      const size = { out, in: each * groups };
      const shared = { input: first, weight, transposed: false, size, groups };
      if (node.opType === 'QLinearConv') {
        const [scale, zeroPoint, bias] = [4, 5, 8].map(at => constant(node.inputs[at] ?? '')?.tensor);
        return { ...shared, scale, zeroPoint, bias, whole: bias !== undefined };
      }
      if (node.opType === 'ConvInteger') return { ...shared, zeroPoint: constant(fourth)?.tensor };
      return { ...shared, bias: constant(third)?.tensor, whole: third !== '' };
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
      const packed = node.opType === 'MatMulNBits' ? blockPacking(node) : undefined;
      return weight && { input: first, weight, scale, zeroPoint, bias, transposed: false, size, packed };
    }
    default:
      return undefined;
  }
}
