import type { DType } from '../tensor/dtype.ts';
import { packedByteLength, type Shape, type Tensor } from '../tensor/tensor.ts';

/** The bytes [start, end) of a tensor that is computed when it is read. */
export type BytesOf = (start: number, end: number, signal?: AbortSignal) => Promise<Uint8Array>;

/** The same into a buffer of the caller's. */
export type BytesInto = NonNullable<Tensor['bytesInto']>;

/** A tensor whose size is known now and whose numbers are computed when they are read. */
export function computed(name: string, dtype: DType, shape: Shape, bytesOf: BytesOf, bytesInto?: BytesInto): Tensor {
  const byteLength = packedByteLength(dtype, shape);
  return {
    name,
    dtype,
    shape,
    byteLength,
    bytes: (start = 0, end = byteLength, signal) => bytesOf(start, end, signal),
    ...(bytesInto && { bytesInto }),
  };
}

/** A tensor whose numbers are computed straight into where they are wanted, and beside others. */
export const computedInto = (name: string, dtype: DType, shape: Shape, bytesInto: BytesInto): Tensor => {
  const bytesOf: BytesOf = async (start, end, signal) => {
    const bytes = new Uint8Array(end - start);
    await bytesInto(bytes, start, signal);
    return bytes;
  };
  return { ...computed(name, dtype, shape, bytesOf, bytesInto), ahead: true };
};

/** A tensor held in memory. */
export function held(name: string, dtype: DType, shape: Shape, values: ArrayBufferView): Tensor {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return computed(name, dtype, shape, async (start, end) => bytes.subarray(start, end));
}

/** A tensor whose numbers are there, all of them, once `values` resolves. */
export const deferred = (
  name: string,
  dtype: DType,
  shape: Shape,
  values: (signal?: AbortSignal) => Promise<ArrayBufferView>,
): Tensor =>
  computed(name, dtype, shape, async (start, end, signal) => {
    const all = await values(signal);
    return new Uint8Array(all.buffer, all.byteOffset, all.byteLength).subarray(start, end);
  });

/** The same tensor under another name. */
export const named = (tensor: Tensor, name: string): Tensor => ({
  ...computed(
    name,
    tensor.dtype,
    tensor.shape,
    (start, end, signal) => tensor.bytes(start, end, signal),
    tensor.bytesInto && ((into, start, signal) => tensor.bytesInto!(into, start, signal)),
  ),
  ...(tensor.ahead && { ahead: tensor.ahead }),
  ...(tensor.bitmask && { bitmask: tensor.bitmask }),
  ...(tensor.madeFrom && { madeFrom: tensor.madeFrom }),
});

/** The tensor, and what it is made from, number by number; where that is made itself, what that is made from. */
export const madeFrom = (source: Tensor, tensor: Tensor): Tensor => ({ ...tensor, madeFrom: source.madeFrom ?? source });

/** Runs once; a failure (a cancelled read, for one) is forgotten, so that the next caller tries again. */
export function once<T>(work: (signal?: AbortSignal) => Promise<T>): (signal?: AbortSignal) => Promise<T> {
  let pending: Promise<T> | undefined;
  return signal => {
    pending ??= work(signal).catch(error => {
      pending = undefined;
      throw error;
    });
    return pending;
  };
}
