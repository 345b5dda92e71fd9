import type { Layer, Linear } from '../anatomy/anatomy.ts';
import { dtypes } from '../tensor/dtype.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import type { HeadSize } from './tree.ts';

/**
 * What each head of a layer takes: its rows of query, key and value with their biases, and its columns of the output projection (of a
 * factored matrix those of the factor that has them). Scales of rows go with the rows; the output projection's scales and bias stay.
 */
export function headSizes(layer: Layer): HeadSize[] {
  const { heads, headDim, query, key, value, output } = layer;
  if (heads === 0) return [];
  const projections = [query, key, value];
  const behind = output.factors?.first ?? output;
  // Query and key may be narrower than value; what attention gathers has the width of value.
  const wide = Math.max(headDim, value.out / heads);
  const columns = output.compact ? (wide * partsOf(output)) / output.in : (wide * behind.out) / (behind.groups ?? 1);
  const rows = (each: (linear: Linear) => number) =>
    projections.reduce((sum, linear) => sum + (linear.out / heads) * each(linear), 0);
  const parameters = Math.round(rows(rowParameters) + columns);
  const byteLength = Math.round((rows(rowBits) + columns * bitsOf(behind)) / 8);
  return Array.from({ length: heads }, (_, head) => ({ layer: layer.index, head, parameters, byteLength }));
}

const bitsOf = ({ weight, packed }: Linear): number => packed?.bits ?? dtypes[weight.dtype].bits;

/** Of a compact form, in which no number belongs to one row, each row's share. */
function rowParameters(linear: Linear): number {
  if (linear.compact) return partsOf(linear) / linear.out + (linear.bias ? 1 : 0);
  const { in: width, groups = 1, bias } = linear.factors?.second ?? linear;
  return width / groups + (bias ? 1 : 0);
}

const partsOf = ({ compact }: Linear): number =>
  (compact?.parts ?? []).reduce((sum, { weight }) => sum + elementCount(weight.shape), 0);

function rowBits(linear: Linear): number {
  if (linear.compact) return (partsOf(linear) / linear.out) * bitsOf(linear) + bitsEach(linear.bias, linear.out);
  const acting = linear.factors?.second ?? linear;
  const { bias, scale, zeroPoint, in: width, groups = 1, out } = acting;
  return (width / groups) * bitsOf(acting) + [bias, scale, zeroPoint].reduce((sum, tensor) => sum + bitsEach(tensor, out), 0);
}

/** Bits that a row owns of a tensor with something for every row; what all rows share belongs to none. */
function bitsEach(tensor: Tensor | undefined, rows: number): number {
  if (!tensor || rows === 0) return 0;
  const each = elementCount(tensor.shape) / rows;
  return each >= 1 ? Math.floor(each) * dtypes[tensor.dtype].bits : 0;
}
