import { throwIfCancelled } from '../../errors.ts';
import { kernels } from '../../kernels/kernels.ts';
import type { DType } from '../../tensor/dtype.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { computed } from '../computed.ts';

/** first [rank, in], second [out, rank], row-major: second * first stands for a matrix [out, in]. */
export interface FactorValues {
  readonly first: Float32Array;
  readonly second: Float32Array;
}

export interface FactorShape {
  readonly out: number;
  readonly in: number;
  readonly rank: number;
  readonly dtype: DType;
}

/**
 * Two tensors that are computed together when one of them is read, and let go when both have been read from front to back, as a
 * writer reads them: the first, then the second. What is asked again is computed again.
 */
export function factorTensors(
  { out, in: width, rank, dtype }: FactorShape,
  compute: (signal?: AbortSignal) => Promise<FactorValues>,
): { readonly first: Tensor; readonly second: Tensor } {
  let pending: Promise<{ readonly first: Uint8Array; readonly second: Uint8Array }> | undefined;
  let isFirstRead = false;
  const part = (name: 'first' | 'second', shape: readonly number[]): Tensor => {
    const tensor: Tensor = computed(name, dtype, shape, async (start, end, signal) => {
      throwIfCancelled(signal);
      pending ??= compute(signal).then(values => ({ first: stored(values.first, dtype), second: stored(values.second, dtype) }));
      const made = pending;
      made.catch(() => {
        if (pending === made) pending = undefined;
      });
      const bytes = (await made)[name].subarray(start, end);
      if (end === tensor.byteLength) release(name, made);
      return bytes;
    });
    return tensor;
  };
  const release = (name: 'first' | 'second', made: typeof pending) => {
    if (name === 'first') isFirstRead = true;
    else if (isFirstRead && pending === made) pending = undefined;
  };
  return { first: part('first', [rank, width]), second: part('second', [out, rank]) };
}

/** Numbers in a floating-point type, to nearest even, as bytes. */
export function stored(values: Float32Array, dtype: DType): Uint8Array {
  const array = inType(values, dtype);
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function inType(values: Float32Array, dtype: DType): Float32Array | Float64Array | Uint16Array {
  if (dtype === 'fp64') return Float64Array.from(values);
  if (dtype !== 'fp16' && dtype !== 'bf16') return values;
  const halves = new Uint16Array(values.length);
  if (dtype === 'fp16') kernels.toHalf(values, halves);
  else {
    const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let i = 0; i < halves.length; i++) halves[i] = (words[i]! + 0x7fff + ((words[i]! >>> 16) & 1)) >>> 16;
  }
  return halves;
}

/** A tensor of zeros: what a dry run promises, since it computes nothing. */
export const promised = (name: string, dtype: DType, shape: readonly number[]): Tensor =>
  computed(name, dtype, shape, async (start, end) => new Uint8Array(end - start));
