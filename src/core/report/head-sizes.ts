import type { Layer, Linear } from '../anatomy/anatomy.ts';
import { dtypes } from '../tensor/dtype.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import type { HeadSize } from './tree.ts';

/**
 * What each head of a layer takes: its rows of query, key and value with their biases, and its columns of the output projection.
 * Scales of rows go with the rows; the output projection's scales and bias stay.
 */
export function headSizes(layer: Layer): HeadSize[] {
  const { headDim, query, key, value, output } = layer;
  const projections = [query, key, value];
  const rows = projections.reduce((sum, linear) => sum + rowParameters(linear), 0);
  const parameters = headDim * (rows + output.out);
  const bits = projections.reduce((sum, linear) => sum + rowBits(linear), 0) + output.out * dtypes[output.weight.dtype].bits;
  const byteLength = Math.round((headDim * bits) / 8);
  return Array.from({ length: layer.heads }, (_, head) => ({ layer: layer.index, head, parameters, byteLength }));
}

const rowParameters = ({ in: width, bias }: Linear): number => width + (bias ? 1 : 0);

function rowBits({ weight, bias, scale, zeroPoint, in: width, out }: Linear): number {
  return width * dtypes[weight.dtype].bits + [bias, scale, zeroPoint].reduce((sum, tensor) => sum + bitsEach(tensor, out), 0);
}

/** Bits that a row owns of a tensor with something for every row; what all rows share belongs to none. */
function bitsEach(tensor: Tensor | undefined, rows: number): number {
  if (!tensor) return 0;
  const each = elementCount(tensor.shape) / rows;
  return each >= 1 ? Math.floor(each) * dtypes[tensor.dtype].bits : 0;
}
