import type { Linear } from '../../anatomy/anatomy.ts';
import { products } from '../../kernels/linear-algebra/product.ts';
import { vectorOf, weightOf } from './matrix.ts';

/** What the matrix gives for rows [tokens, in], bias included: for graphs that do not show it. */
export async function productWith(linear: Linear, signal?: AbortSignal): Promise<(rows: Float32Array) => Promise<Float32Array>> {
  const weight_IO = await weightOf(linear, signal);
  const bias_O = linear.bias && (await vectorOf(linear.bias, signal));
  return async rows => {
    const count = rows.length / linear.in;
    const found = await products(
      { values: rows, count, vectorStride: linear.in, elementStride: 1 },
      { values: weight_IO, count: linear.out, vectorStride: 1, elementStride: linear.out },
      linear.in,
      new Float32Array(count * linear.out),
    );
    if (bias_O) for (let at = 0; at < found.length; at++) found[at]! += bias_O[at % linear.out]!;
    return found;
  };
}
