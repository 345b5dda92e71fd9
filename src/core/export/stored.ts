import { throwIfCancelled } from '../errors.ts';
import { readFloats } from '../tensor/floats.ts';
import { packedByteLength, type Shape, type Tensor } from '../tensor/tensor.ts';

// Weights of a checkpoint as the graph stores them: fp32, read when they are written, never all at once.

/** Bytes of a turned matrix held at once: any matrix of a layer whole; BERT's untied decoder is read three times, XLM-R's a few dozen. */
const BAND = 32 * 1024 * 1024;

/** Elements of the source read at once: 1 MiB. */
const PIECE = 256 * 1024;

/** Side of the squares that are turned at once: 32 lines of 128 bytes each way stay in the first-level cache. */
const SQUARE = 32;

/** So few bytes of a turned matrix are picked one by one: whoever compares a few places must not turn it all. */
const FEW = 256;

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

/** Columns [first, last) of the source, as rows. */
interface Band {
  readonly first: number;
  readonly last: number;
  readonly bytes: Promise<Uint8Array>;
}

/** A matrix [R, C] in fp32 and turned, [C, R]. Made band by band as it is read from front to back; the last is let go when its end is read. */
export function turned(tensor: Tensor, name: string, bandBytes = BAND): Tensor {
  const [rows = 1, columns = 1] = tensor.shape;
  const width = Math.max(1, Math.floor(bandBytes / (4 * rows)));
  const line = 4 * rows;
  let held: Band | undefined;

  function bandWith(column: number, signal?: AbortSignal): Band {
    if (held && held.first <= column && column < held.last) return held;
    const first = column - (column % width);
    const last = Math.min(columns, first + width);
    const band: Band = { first, last, bytes: turnBand(tensor, first, last, signal) };
    band.bytes.catch(() => {
      if (held === band) held = undefined; // a cancelled read is tried again
    });
    held = band;
    return band;
  }

  return lazy(name, [columns, rows], async (start, end, signal) => {
    if (end - start <= FEW && end - start < columns * line) return picked(tensor, start, end, signal);
    const parts: Uint8Array[] = [];
    for (let at = start; at < end; ) {
      const band = bandWith(Math.floor(at / line), signal);
      const to = Math.min(end, band.last * line);
      parts.push((await band.bytes).subarray(at - band.first * line, to - band.first * line));
      at = to;
    }
    if (end === columns * line) held = undefined;
    return parts.length === 1 ? parts[0]! : joined(parts, end - start);
  });
}

async function turnBand(tensor: Tensor, first: number, last: number, signal?: AbortSignal): Promise<Uint8Array> {
  const [rows = 1, columns = 1] = tensor.shape;
  const band_CR = new Float32Array((last - first) * rows);
  const step = Math.max(SQUARE, Math.floor(PIECE / columns));
  for (let top = 0; top < rows; top += step) {
    throwIfCancelled(signal);
    const bottom = Math.min(rows, top + step);
    const piece_RC = await readFloats(tensor, top * columns, bottom * columns, signal);
    for (let r = top; r < bottom; r += SQUARE)
      for (let c = first; c < last; c += SQUARE) {
        const [rEnd, cEnd] = [Math.min(bottom, r + SQUARE), Math.min(last, c + SQUARE)];
        for (let column = c; column < cEnd; column++)
          for (let row = r, to = (column - first) * rows + r, from = (r - top) * columns + column; row < rEnd; row++) {
            band_CR[to++] = piece_RC[from]!;
            from += columns;
          }
      }
  }
  return new Uint8Array(band_CR.buffer);
}

/** A few bytes of the turned matrix, element by element. */
async function picked(tensor: Tensor, start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> {
  const [rows = 1, columns = 1] = tensor.shape;
  const [first, last] = [Math.floor(start / 4), Math.ceil(end / 4)];
  const places = Array.from({ length: last - first }, (_, index) => first + index);
  const read = (place: number) => {
    const at = (place % rows) * columns + Math.floor(place / rows);
    return readFloats(tensor, at, at + 1, signal);
  };
  const values = Float32Array.from((await Promise.all(places.map(read))).map(([value]) => value!));
  return new Uint8Array(values.buffer, start - first * 4, end - start);
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function lazy(
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
