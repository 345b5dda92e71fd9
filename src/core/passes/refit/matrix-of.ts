import type { Linear } from '../../anatomy/anatomy.ts';
import { floatsOf } from '../../kernels/floats.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { elementCount } from '../../tensor/tensor.ts';
import { typed } from '../prune/matrix.ts';

/** A dense matrix as [out, in], a copy. */
export async function matrixOf(linear: Linear, signal?: AbortSignal): Promise<Float32Array> {
  const { weight, out, in: wide, transposed } = linear;
  const values = await floatsOf(weight, 0, out * wide, signal);
  return transposed ? turned(values, wide, out) : Float32Array.from(values);
}

export async function vectorOf(tensor: Tensor, signal?: AbortSignal): Promise<Float32Array> {
  return Float32Array.from(await floatsOf(tensor, 0, elementCount(tensor.shape), signal));
}

/** [out, in] as the weight is stored, in its type. */
export const storedAs = ({ weight, out, in: wide, transposed }: Linear, weight_OI: Float32Array): Tensor =>
  like(weight, transposed ? turned(weight_OI, out, wide) : weight_OI);

/** Other numbers in the shape and type of a tensor. throws RangeError for types that are no floats */
export const like = (tensor: Tensor, values: Float32Array): Tensor => typed(tensor, tensor.shape, values);

function turned(values: Float32Array, rows: number, columns: number): Float32Array {
  const into = new Float32Array(values.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) into[c * rows + r] = values[r * columns + c]!;
  return into;
}
