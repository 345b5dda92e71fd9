import { held } from '../passes/computed.ts';
import { asHalf } from '../passes/quantize/as-half.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** The number that fills a new tensor, in fp16; 0 where none is said. */
export const halfOf = (value: Tensor | undefined): Tensor =>
  value ? asHalf(value) : held('value', 'fp16', [1], new Uint16Array(1));
