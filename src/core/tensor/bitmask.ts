import { fail } from '../errors.ts';
import { dtypes } from './dtype.ts';
import { packedByteLength, type Tensor } from './tensor.ts';

// A matrix with zeros as compressed-tensors stores it (format sparse-bitmask). Of the weight [rows, columns] of a module X:
//   X.compressed   [kept]                      the numbers that are kept, row by row
//   X.bitmask      uint8 [rows, columns / 8]   which ones those are: column c is bit c % 8 of byte c / 8, rounded up
//   X.row_offsets  int64 [rows]                how many are kept in the rows before
//   X.shape        int64 [2]                   rows, columns

/** The tensors that a file keeps in the place of one, by the end of their name. */
export interface BitmaskParts {
  readonly compressed: Tensor;
  readonly bitmask: Tensor;
  readonly row_offsets: Tensor;
  readonly shape: Tensor;
}

export const bitmaskParts = ['compressed', 'bitmask', 'row_offsets', 'shape'] as const satisfies (keyof BitmaskParts)[];

/** What a file keeps of a tensor: itself, or what stands in its place. */
export const storedLength = ({ byteLength, bitmask }: Tensor): number =>
  bitmask ? bitmaskParts.reduce((sum, part) => sum + bitmask[part].byteLength, 0) : byteLength;

/** Rows that are read from a file at once. */
const rowsAtOnce = (rowBytes: number): number => Math.max(1, Math.floor((1024 * 1024) / rowBytes));

/** The matrix that parts stand for: its bytes are put together as they are read. throws 'malformed', when read, where mask and numbers disagree */
export function fromBitmask(name: string, parts: BitmaskParts, rows: number, columns: number): Tensor {
  const { dtype } = parts.compressed;
  const width = dtypes[dtype].bits / 8;
  const byteLength = packedByteLength(dtype, [rows, columns]);
  const bytesInto = async (into: Uint8Array, start: number, signal?: AbortSignal) => {
    const rowBytes = columns * width;
    const end = start + into.length;
    const step = rowsAtOnce(rowBytes);
    for (let first = Math.floor(start / rowBytes); first * rowBytes < end; first += step) {
      const last = Math.min(rows, first + step);
      const part = await denseRows(parts, first, last, rows, columns, width, signal);
      const [from, to] = [Math.max(start, first * rowBytes), Math.min(end, last * rowBytes)];
      into.set(part.subarray(from - first * rowBytes, to - first * rowBytes), from - start);
    }
  };
  return {
    ...{ name, dtype, shape: [rows, columns], byteLength, bitmask: parts, bytesInto },
    bytes: async (start = 0, end = byteLength, signal) => {
      const into = new Uint8Array(end - start);
      await bytesInto(into, start, signal);
      return into;
    },
  };
}

async function denseRows(
  { compressed, bitmask, row_offsets: offsets }: BitmaskParts,
  first: number,
  last: number,
  rows: number,
  columns: number,
  width: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const stride = Math.ceil(columns / 8);
  const [mask, starts] = await Promise.all([
    bitmask.bytes(first * stride, last * stride, signal),
    offsets.bytes(8 * first, 8 * Math.min(rows, last + 1), signal),
  ]);
  const view = new DataView(starts.buffer, starts.byteOffset, starts.byteLength);
  const from = Number(view.getBigInt64(0, true)) * width;
  const to = last < rows ? Number(view.getBigInt64(8 * (last - first), true)) * width : compressed.byteLength;
  if (!(from >= 0 && from <= to && to <= compressed.byteLength)) throw disagree(compressed.name, first, last);
  const kept = await compressed.bytes(from, to, signal);
  const into = new Uint8Array((last - first) * columns * width);
  let at = 0;
  for (let row = 0; row < last - first; row++)
    for (let column = 0; column < columns; column++) {
      if (((mask[row * stride + (column >> 3)]! >> (column & 7)) & 1) === 0) continue;
      const place = (row * columns + column) * width;
      for (let byte = 0; byte < width; byte++) into[place + byte] = kept[at++]!;
    }
  if (at !== kept.length) throw disagree(compressed.name, first, last);
  return into;
}

const disagree = (name: string, first: number, last: number) =>
  fail('malformed', 'The tensor “{name}” does not hold as many numbers as its mask says: rows {first} to {last}.', {
    name,
    first,
    last,
  });

/**
 * The tensor [rows, columns], stored as a bitmask. `kept`: how many numbers are stored, said beforehand, so that sizes are known before
 * the numbers are: all that are not 0, and so many zeros as are left.
 * throws RangeError, when read, where more than `kept` numbers are not 0
 */
export function asBitmask(tensor: Tensor, kept: number): Tensor {
  const { name, dtype, shape } = tensor;
  const [rows = 1, columns = 1] = shape;
  const stride = Math.ceil(columns / 8);
  let made: Promise<Made> | undefined;
  const part = (end: keyof Made, type: Tensor['dtype'], partShape: readonly number[]): Tensor => {
    const byteLength = packedByteLength(type, partShape);
    return {
      ...{ name: `${baseOf(name)}.${end}`, dtype: type, shape: partShape, byteLength },
      bytes: async (start = 0, stop = byteLength, signal) => {
        made ??= make(tensor, rows, columns, kept, signal);
        try {
          return (await made)[end].subarray(start, stop);
        } finally {
          // Made anew for the next part, which stands elsewhere in the file: all matrices at once would be the whole model.
          if (stop === byteLength) made = undefined;
        }
      },
    };
  };
  const parts: BitmaskParts = {
    compressed: part('compressed', dtype, [kept]),
    bitmask: part('bitmask', 'uint8', [rows, stride]),
    row_offsets: part('row_offsets', 'int64', [rows]),
    shape: wholeNumbers(`${baseOf(name)}.shape`, [rows, columns]),
  };
  return { ...tensor, bytes: (start, end, signal) => tensor.bytes(start, end, signal), bitmask: parts };
}

function wholeNumbers(name: string, values: readonly number[]): Tensor {
  const bytes = bytesOf(BigInt64Array.from(values, BigInt));
  return {
    ...{ name, dtype: 'int64', shape: [values.length], byteLength: bytes.length },
    bytes: async (start = 0, end = bytes.length) => bytes.subarray(start, end),
  };
}

/** Other than the shape, which is known. */
type Made = Readonly<Record<Exclude<keyof BitmaskParts, 'shape'>, Uint8Array>>;

async function make(tensor: Tensor, rows: number, columns: number, kept: number, signal?: AbortSignal): Promise<Made> {
  const width = dtypes[tensor.dtype].bits / 8;
  const dense = patternsOf(await tensor.bytes(0, tensor.byteLength, signal), width);
  const stride = Math.ceil(columns / 8);
  const [bitmask, offsets] = [new Uint8Array(rows * stride), new BigInt64Array(rows)];
  const compressed = patternsOf(new Uint8Array(kept * width), width);
  let spare = kept;
  for (let at = 0; at < dense.length; at++) if (dense[at] !== 0) spare--;
  if (spare < 0) throw new RangeError(`${tensor.name}: ${-spare} more numbers than said are not 0`);
  let count = 0;
  for (let row = 0, at = 0; row < rows; row++) {
    offsets[row] = BigInt(count);
    for (let column = 0; column < columns; column++, at++) {
      const pattern = dense[at]!;
      if (pattern === 0 && spare-- <= 0) continue;
      bitmask[row * stride + (column >> 3)]! |= 1 << (column & 7);
      compressed[count++] = pattern;
    }
  }
  return { compressed: bytesOf(compressed), bitmask, row_offsets: bytesOf(offsets) };
}

/** Numbers as whole numbers with the same bits (fp64 as itself), of which only zero is 0. */
function patternsOf(bytes: Uint8Array, width: number): Uint32Array | Uint16Array | Uint8Array | Float64Array {
  const { buffer, byteOffset, byteLength } = aligned(bytes, width);
  if (width === 4) return new Uint32Array(buffer, byteOffset, byteLength / 4);
  if (width === 2) return new Uint16Array(buffer, byteOffset, byteLength / 2);
  return width === 1 ? new Uint8Array(buffer, byteOffset, byteLength) : new Float64Array(buffer, byteOffset, byteLength / 8);
}

/** A typed array begins at a multiple of its width. */
const aligned = (bytes: Uint8Array, width: number): Uint8Array => (bytes.byteOffset % width === 0 ? bytes : bytes.slice());

const bytesOf = (values: ArrayBufferView): Uint8Array => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** The module's name: that of its weight without the end. */
export const baseOf = (name: string): string => name.replace(/\.weight$/, '');
