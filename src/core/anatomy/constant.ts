import { dtypes } from '../tensor/dtype.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import { integers, type Wiring } from './wiring.ts';

/** A stored tensor as a node receives it, after the operators that only change its type or orientation. */
export interface Constant {
  readonly tensor: Tensor;
  /** true when an odd number of Transposes stand between. */
  readonly transposed: boolean;
  /** Rows and columns as which it is taken, where a Reshape stands between. */
  readonly matrix?: readonly [number, number];
  /** Set when a DequantizeLinear stands between. */
  readonly scale?: Tensor;
  readonly zeroPoint?: Tensor;
}

/** Operators that hand the same numbers on: the first input is the value. */
const carriers = new Set(['Identity', 'Cast', 'Dropout', 'QuantizeLinear', 'DequantizeLinear', 'Transpose']);

/** Longest chain of carriers that is followed; exporters leave up to four. */
const longestChain = 16;

/** The stored tensor a value comes from, or undefined when it is computed from inputs. */
export function constantOf(wiring: Wiring, value: string): Constant | undefined {
  let transposed = false;
  let scale: Tensor | undefined;
  let zeroPoint: Tensor | undefined;
  let matrix: Constant['matrix'];
  for (let steps = 0; steps < longestChain; steps++) {
    const tensor = wiring.tensors.get(value);
    if (tensor && !scale && !zeroPoint && !matrix) return { tensor, transposed };
    if (tensor)
      return { tensor, transposed, ...(matrix && { matrix }), ...(scale && { scale }), ...(zeroPoint && { zeroPoint }) };
    const node = wiring.producer.get(value);
    const reshaped = node?.opType === 'Reshape' ? wiring.reshaped?.get(value) : undefined;
    if (!node || !(carriers.has(node.opType) || reshaped) || node.outputs[0] !== value) return undefined;
    if (matrix && node.opType === 'Transpose') return undefined;
    matrix ??= reshaped;
    if (node.opType === 'Transpose') {
      const order = integers(node, 'perm');
      if (order && order.join() !== '1,0') return undefined;
      transposed = !transposed;
    }
    if (node.opType === 'DequantizeLinear') {
      scale = constantOf(wiring, node.inputs[1] ?? '')?.tensor;
      zeroPoint = constantOf(wiring, node.inputs[2] ?? '')?.tensor;
    }
    value = node.inputs[0] ?? '';
  }
  return undefined;
}

export const isFloat = (tensor: Tensor): boolean => dtypes[tensor.dtype].kind === 'float';

/** Integers of 8 bits and fewer stand for quantized weights; wider ones are indices and shapes. */
export const isNarrow = (tensor: Tensor): boolean =>
  (dtypes[tensor.dtype].kind === 'int' || dtypes[tensor.dtype].kind === 'uint') && dtypes[tensor.dtype].bits <= 8;

/** Parameters can only be these; a shape, an index or a mask cannot. */
export const mayBeWeight = (tensor: Tensor): boolean => isFloat(tensor) || isNarrow(tensor);

/** A vector of `length` numbers, whatever 1s stand around it: [384], [1, 1, 384]. */
export const isVector = (tensor: Tensor, length: number): boolean =>
  elementCount(tensor.shape) === length && (tensor.shape.at(-1) === length || tensor.shape.length === 0);
