import { fail } from '../errors.ts';
import { RUN } from '../kernels/floats.ts';
import { type DType, dtypes } from '../tensor/dtype.ts';
import { readFloats } from '../tensor/floats.ts';
import { elementCount, type Shape, type Tensor } from '../tensor/tensor.ts';
import type { Chunk } from './chunk.ts';

// A .npy file, format 1.0 (numpy.lib.format):
//
//     6 bytes   \x93NUMPY
//     2         1 0
//     2         length of what follows up to the data, little-endian
//               {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   padded with spaces so that the data begin at a
//               multiple of 64, and a line feed
//               the elements, little-endian, row-major

export interface NpyType {
  readonly descr: string;
  /** Of one element. */
  readonly bytes: number;
  /** NumPy has no such type: this one holds all its values. */
  readonly widened?: 'fp32' | 'int8' | 'uint8';
}

const plain: Partial<Record<DType, string>> = {
  fp64: '<f8',
  fp32: '<f4',
  fp16: '<f2',
  int64: '<i8',
  int32: '<i4',
  int16: '<i2',
  int8: '|i1',
  uint64: '<u8',
  uint32: '<u4',
  uint16: '<u2',
  uint8: '|u1',
  bool: '|b1',
  complex64: '<c8',
  complex128: '<c16',
};

/** Of every dtype but text. */
export function npyType(dtype: DType): NpyType {
  const descr = plain[dtype];
  if (descr) return { descr, bytes: dtypes[dtype].bits / 8 };
  const { kind } = dtypes[dtype];
  if (kind === 'int') return { descr: '|i1', bytes: 1, widened: 'int8' };
  return kind === 'uint' ? { descr: '|u1', bytes: 1, widened: 'uint8' } : { descr: '<f4', bytes: 4, widened: 'fp32' };
}

/** throws 'limit' for a shape that the format has no room for */
export function npyHeader(descr: string, shape: Shape): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  if (length > 0xffff) throw fail('limit', 'A .npy file has no room for a shape of {count} axes.', { count: shape.length });
  const head = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, length & 255, length >> 8];
  return Uint8Array.from([...head, ...Buffer.from(`${text.padEnd(length - 1)}\n`, 'latin1')]);
}

/** The header, then the elements in chunks of at most RUN. */
export function npyChunks(tensor: Tensor, signal?: AbortSignal): { readonly header: Uint8Array } & AsyncIterable<Chunk> {
  const header = npyHeader(npyType(tensor.dtype).descr, tensor.shape);
  return { header, [Symbol.asyncIterator]: () => elements(tensor, header, signal) };
}

async function* elements(tensor: Tensor, header: Uint8Array, signal?: AbortSignal): AsyncGenerator<Chunk> {
  yield { bytes: header, done: 0 };
  const count = elementCount(tensor.shape);
  for (let start = 0; start < count; start += RUN) {
    const end = Math.min(count, start + RUN);
    yield { bytes: await bytesOf(tensor, start, end, signal), done: end };
  }
}

async function bytesOf(tensor: Tensor, start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> {
  const { bytes, widened } = npyType(tensor.dtype);
  if (!widened) {
    const stored = await tensor.bytes(start * bytes, end * bytes, signal);
    return tensor.dtype === 'bool' ? stored.map(byte => (byte === 0 ? 0 : 1)) : stored;
  }
  const values = await readFloats(tensor, start, end, signal);
  const array = widened === 'fp32' ? values : widened === 'int8' ? Int8Array.from(values) : Uint8Array.from(values);
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
