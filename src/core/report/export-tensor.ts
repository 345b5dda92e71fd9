import { fail } from '../errors.ts';
import { dtypes } from '../tensor/dtype.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import type { Chunk } from './chunk.ts';
import { csvChunks } from './csv.ts';
import { npyChunks, npyType } from './npy.ts';

/** A tensor as the bytes of a file, made when they are asked for. */
export interface ExportedTensor {
  /** The type the values were widened to, where the file's own is not one of NumPy's. */
  readonly widened?: 'fp32' | 'int8' | 'uint8';
  /** Where it is known beforehand. */
  readonly byteLength?: number;
  readonly chunks: AsyncIterable<Chunk>;
}

/**
 * A tensor as the file stores it, as .npy (format 1.0, C order) or CSV.
 * throws 'unsupported' for text, and for complex numbers as CSV
 */
export function exportedTensor(tensor: Tensor, kind: 'npy' | 'csv', signal?: AbortSignal): ExportedTensor {
  const of = dtypes[tensor.dtype].kind;
  if (of === 'string' || (of === 'complex' && kind === 'csv'))
    throw fail('unsupported', 'Elements of the type {dtype} are not real numbers.', { dtype: tensor.dtype });
  if (kind === 'csv') return { chunks: csvChunks(tensor, signal) };
  const { widened, bytes } = npyType(tensor.dtype);
  const chunks = npyChunks(tensor, signal);
  return { ...(widened && { widened }), byteLength: chunks.header.length + bytes * elementCount(tensor.shape), chunks };
}
