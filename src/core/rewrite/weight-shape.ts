import { held } from '../passes/computed.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** A shape as a tensor of int64. */
export const constantOfShape = (shape: readonly number[]): Tensor =>
  held('shape', 'int64', [shape.length], BigInt64Array.from(shape, BigInt));
