import { throwIfCancelled } from '../errors.ts';
import { readFloats } from '../tensor/floats.ts';
import { joined } from '../tensor/joined.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { PIECE, ReadAhead } from './read-ahead.ts';
import { lazy } from './stored.ts';

/** Bytes of a turned matrix held at once: any matrix of a layer whole; BERT's untied decoder is read three times, XLM-R's a few dozen. */
const BAND = 32 * 1024 * 1024;

/** Columns that are turned at once: a cache line of each row that is read, and as many lines that are written side by side. */
const STRIP = 16;

/** Rows that are turned at once. */
const ROWS = 8;

/** So few bytes of a turned matrix are picked one by one: whoever compares a few places must not turn it all. */
const FEW = 256;

/** Columns [first, last) of the source, as rows. */
interface Band {
  readonly first: number;
  readonly last: number;
  readonly bytes: Promise<Uint8Array>;
}

/** A matrix [R, C] in fp32 and turned, [C, R]. Made band by band as it is read from front to back; the last is let go when its end is read. */
export function turned(tensor: Tensor, name: string, ahead = new ReadAhead(), bandBytes = BAND): Tensor {
  const [rows = 1, columns = 1] = tensor.shape;
  const width = Math.max(1, Math.floor(bandBytes / (4 * rows)));
  const line = 4 * rows;
  let held: Band | undefined;
  ahead.add(tensor);

  function bandWith(column: number, signal?: AbortSignal): Band {
    if (held && held.first <= column && column < held.last) return held;
    const first = column - (column % width);
    const last = Math.min(columns, first + width);
    const band: Band = { first, last, bytes: turnBand(tensor, ahead, first, last, signal) };
    band.bytes.catch(() => {
      if (held === band) held = undefined; // a cancelled read is tried again
    });
    held = band;
    return band;
  }

  const read = async (start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> => {
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
  };

  /** A whole matrix, as the writer asks for those of a layer, is turned straight into the writer's buffer. */
  const bytesInto = async (into: Uint8Array, start: number, signal?: AbortSignal): Promise<void> => {
    if (into.length === columns * line && into.byteOffset % 4 === 0) {
      const band_CR = new Float32Array(into.buffer, into.byteOffset, columns * rows);
      await turn(tensor, ahead, 0, columns, band_CR, signal);
    } else into.set(await read(start, start + into.length, signal));
  };
  return { ...lazy(name, [columns, rows], read), bytesInto };
}

async function turnBand(
  tensor: Tensor,
  ahead: ReadAhead,
  first: number,
  last: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const band_CR = new Float32Array((last - first) * (tensor.shape[0] ?? 1));
  await turn(tensor, ahead, first, last, band_CR, signal);
  return new Uint8Array(band_CR.buffer);
}

/** Columns [first, last) of the source, read in runs of rows, into the rows of `band_CR`. */
async function turn(
  tensor: Tensor,
  ahead: ReadAhead,
  first: number,
  last: number,
  band_CR: Float32Array,
  signal?: AbortSignal,
): Promise<void> {
  const [rows = 1, columns = 1] = tensor.shape;
  const step = Math.max(ROWS, Math.floor(PIECE / columns));
  const into = asBits(band_CR);
  for (let top = 0; top < rows; top += step) {
    throwIfCancelled(signal);
    const bottom = Math.min(rows, top + step);
    const piece =
      rows * columns <= PIECE
        ? await ahead.whole(tensor, signal)
        : await ahead.part(tensor, top * columns, bottom * columns, signal);
    const piece_RC = asBits(piece.values);
    for (let c = first; c < last; c += STRIP) {
      const strip = { columns, first: c, last: Math.min(last, c + STRIP), rows: bottom - top };
      turnStrip(piece_RC, into, strip, { start: (c - first) * rows + top, rows });
    }
    ahead.giveBack(piece);
  }
}

/** Numbers are moved, not read as such: the same bits, and twice as fast as Float32Arrays. */
const asBits = (values: Float32Array): Int32Array => new Int32Array(values.buffer, values.byteOffset, values.length);

/** Columns [first, last) of a piece of [rows, columns], each as a run of `to`, `rows` of the whole matrix apart. */
function turnStrip(
  from: Int32Array,
  to: Int32Array,
  { columns, first, last, rows }: { columns: number; first: number; last: number; rows: number },
  whole: { start: number; rows: number },
): void {
  let row = 0;
  for (; row + ROWS <= rows; row += ROWS)
    for (let column = first; column < last; column++) {
      const at = whole.start + (column - first) * whole.rows + row;
      const read = row * columns + column;
      to[at] = from[read]!;
      to[at + 1] = from[read + columns]!;
      to[at + 2] = from[read + 2 * columns]!;
      to[at + 3] = from[read + 3 * columns]!;
      to[at + 4] = from[read + 4 * columns]!;
      to[at + 5] = from[read + 5 * columns]!;
      to[at + 6] = from[read + 6 * columns]!;
      to[at + 7] = from[read + 7 * columns]!;
    }
  for (; row < rows; row++)
    for (let column = first; column < last; column++)
      to[whole.start + (column - first) * whole.rows + row] = from[row * columns + column]!;
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
