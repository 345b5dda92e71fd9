import { readFloats } from '../tensor/floats.ts';
import { packedByteLength, type Shape, type Tensor } from '../tensor/tensor.ts';

// Tensors as the graph stores them: weights in fp32, read when they are written, never all at once; and numbers of its own.

/** The tensor in fp32 under another name. fp16 and bf16 are widened exactly, fp64 is rounded. */
export function widened(tensor: Tensor, name: string): Tensor {
  if (tensor.dtype === 'fp32') {
    const { dtype, shape, byteLength } = tensor;
    return {
      name,
      dtype,
      shape,
      byteLength,
      bytes: (start, end, signal) => tensor.bytes(start, end, signal),
      ...(tensor.bytesInto && { bytesInto: (into, start, signal) => tensor.bytesInto!(into, start, signal) }),
    };
  }
  return lazy(name, tensor.shape, async (start, end, signal) => {
    const [first, last] = [Math.floor(start / 4), Math.ceil(end / 4)];
    const values = await readFloats(tensor, first, last, signal);
    return new Uint8Array(values.buffer, start - first * 4, end - start);
  });
}

/** A tensor in fp32 whose bytes are made when they are read. */
export function lazy(
  name: string,
  shape: Shape,
  read: (start: number, end: number, signal?: AbortSignal) => Promise<Uint8Array>,
): Tensor {
  const byteLength = packedByteLength('fp32', shape);
  return { name, dtype: 'fp32', shape, byteLength, bytes: (start = 0, end = byteLength, signal) => read(start, end, signal) };
}

/** Numbers that belong to the graph: shapes, axes, indices. */
export const wholeNumbers = (name: string, values: readonly number[], shape: Shape): Tensor =>
  held(name, 'int64', shape, BigInt64Array.from(values, BigInt));

export const decimal = (name: string, value: number): Tensor => held(name, 'fp32', [], Float32Array.of(value));

function held(name: string, dtype: 'int64' | 'fp32', shape: Shape, values: ArrayBufferView): Tensor {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { name, dtype, shape, byteLength: bytes.length, bytes: async (start, end) => bytes.subarray(start, end) };
}
