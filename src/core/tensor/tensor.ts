import type { BitmaskParts } from './bitmask.ts';
import { type DType, dtypes } from './dtype.ts';

/** Row-major, outermost first. [] is a scalar. */
export type Shape = readonly number[];

/** Where a tensor's bytes lie as one run in a file; two tensors with the same place are one (tied). */
export interface Place {
  readonly file: string;
  readonly offset: number;
}

/**
 * Shape and size now, numbers late. Bytes are the packed little-endian elements in row-major order, whatever form the file keeps
 * them in (raw, float_data, external); 4-bit and 2-bit elements are packed low bits first.
 */
export interface Tensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  /** Bytes of the packed elements: ceil(elements * bits / 8). */
  readonly byteLength: number;
  /** Set when the bytes lie in one run in a file; absent for typed fields (float_data) and computed tensors. */
  readonly place?: Place;
  /** A matrix with zeros of which a file keeps the numbers and a mask: `bytes` are those of the matrix all the same. */
  readonly bitmask?: BitmaskParts;
  /** Of a computed tensor: what it is made from, such that equal ones make equal ones. Reading a few bytes of this costs less. */
  readonly madeFrom?: Tensor;
  /** The bytes [start, end) of the packed elements; all of them by default. May be asked more than once and in any order. */
  bytes(start?: number, end?: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** The same from `start` into a buffer the caller owns, all of it, where that saves a copy. */
  bytesInto?(into: Uint8Array, start: number, signal?: AbortSignal): Promise<void>;
  /** Of a computed tensor: its bytes may be asked for while those of others are being made, and what they are made from is then read meanwhile. */
  readonly ahead?: true;
}

export function elementCount(shape: Shape): number {
  let count = 1;
  for (let axis = 0; axis < shape.length; axis++) count *= shape[axis]!;
  return count;
}

/** Bytes of `shape` packed without gaps: ceil(elements * bits / 8). */
export const packedByteLength = (dtype: DType, shape: Shape): number => Math.ceil((elementCount(shape) * dtypes[dtype].bits) / 8);
