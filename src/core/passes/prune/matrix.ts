import type { Linear } from '../../anatomy/anatomy.ts';
import { floatsOf } from '../../kernels/floats.ts';
import { kernels } from '../../kernels/kernels.ts';
import type { DType } from '../../tensor/dtype.ts';
import { elementCount, type Shape, type Tensor } from '../../tensor/tensor.ts';
import { held } from '../computed.ts';

// I inputs, O outputs

/** The weight as f64 [I, O], whichever way it is stored. */
export async function weightOf({ weight, transposed, in: inputs, out }: Linear, signal?: AbortSignal): Promise<Float64Array> {
  const stored = await floatsOf(weight, 0, inputs * out, signal);
  if (transposed) return Float64Array.from(stored);
  const weight_IO = new Float64Array(inputs * out);
  for (let o = 0, at = 0; o < out; o++) for (let i = 0; i < inputs; i++, at++) weight_IO[i * out + o] = stored[at]!;
  return weight_IO;
}

/** Numbers [O] of a vector, as f64. */
export const vectorOf = async (vector: Tensor, signal?: AbortSignal): Promise<Float64Array> =>
  Float64Array.from(await floatsOf(vector, 0, elementCount(vector.shape), signal));

/** A weight [I, O] in the layout and type of the linear's, with as many inputs as it has. */
export function storedAs({ weight, transposed, out }: Linear, weight_IO: Float64Array): Tensor {
  const inputs = weight_IO.length / out;
  if (transposed) return typed(weight, [inputs, out], Float32Array.from(weight_IO));
  const stored = new Float32Array(weight_IO.length);
  for (let i = 0, at = 0; i < inputs; i++) for (let o = 0; o < out; o++, at++) stored[o * inputs + i] = weight_IO[at]!;
  return typed(weight, [out, inputs], stored);
}

/** Other numbers in the type of a tensor, held in memory. */
export function typed({ name, dtype }: Pick<Tensor, 'name' | 'dtype'>, shape: Shape, values: Float32Array): Tensor {
  const stored = converted(dtype, values);
  if (!stored) throw new RangeError(`${name} has the type ${dtype}, in which nothing is refitted`);
  return held(name, dtype, shape, stored);
}

function converted(dtype: DType, values: Float32Array): ArrayBufferView | undefined {
  if (dtype === 'fp32') return values;
  if (dtype === 'fp64') return Float64Array.from(values);
  if (dtype === 'bf16') return brain(values);
  if (dtype !== 'fp16') return undefined;
  const halves = new Uint16Array(values.length);
  kernels.toHalf(values, halves);
  return halves;
}

/** To nearest even. */
function brain(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, word => (word + 0x7fff + ((word >>> 16) & 1)) >>> 16);
}
