import { products } from '../../../kernels/linear-algebra/product.ts';

/** a [m, k] times b [k, n], row-major, summed in f64. */
export const times = (
  a: Float32Array | Float64Array,
  b: Float64Array,
  k: number,
  pause?: () => Promise<void>,
): Promise<Float64Array> => {
  const [m, n] = [a.length / k, b.length / k];
  const left = { values: a, count: m, vectorStride: k, elementStride: 1 };
  const right = { values: b, count: n, vectorStride: 1, elementStride: n };
  return products(left, right, k, new Float64Array(m * n), pause);
};

/** [rows, columns] as [columns, rows]. */
export function transposed(a: Float64Array, columns: number): Float64Array {
  const rows = a.length / columns;
  const found = new Float64Array(a.length);
  for (let r = 0, at = 0; r < rows; r++) for (let c = 0; c < columns; c++, at++) found[c * rows + r] = a[at]!;
  return found;
}
