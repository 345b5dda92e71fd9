import { dtypes } from '../tensor/dtype.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { computed, once } from './computed.ts';

/**
 * A matrix [rows, columns] as [columns, rows], with its numbers as they are. It is read whole when a part of it is read, and let go when
 * its end has been read.
 * throws RangeError for types that are packed below a byte
 */
export function turned(tensor: Tensor): Tensor {
  const { name, dtype, shape, byteLength } = tensor;
  const [rows, columns] = shape as [number, number];
  const width = dtypes[dtype].bits / 8;
  if (!Number.isInteger(width)) throw new RangeError(`${name}: elements of ${dtype} do not begin at bytes`);
  const read = async (signal?: AbortSignal): Promise<Uint8Array> => {
    const bytes = await tensor.bytes(0, byteLength, signal);
    if (width !== 4 || bytes.byteOffset % 4 !== 0) return elements(bytes, rows, columns, width);
    return new Uint8Array(words(bytes, rows, columns).buffer);
  };
  let kept = once(read);
  return computed(name, dtype, [columns, rows], async (start, end, signal) => {
    const bytes = await kept(signal);
    if (end === byteLength) kept = once(read);
    return bytes.subarray(start, end);
  });
}

function words(bytes: Uint8Array, rows: number, columns: number): Uint32Array {
  const from = new Uint32Array(bytes.buffer, bytes.byteOffset, rows * columns);
  const into = new Uint32Array(rows * columns);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) into[c * rows + r] = from[r * columns + c]!;
  return into;
}

function elements(bytes: Uint8Array, rows: number, columns: number, width: number): Uint8Array {
  const into = new Uint8Array(bytes.length);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++)
      for (let b = 0; b < width; b++) into[(c * rows + r) * width + b] = bytes[(r * columns + c) * width + b]!;
  return into;
}
