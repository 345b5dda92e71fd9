import { throwIfCancelled } from '../../errors.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { computed, madeFrom } from '../computed.ts';

/** Side of the squares that are turned at once: their 64 lines of 64 bytes fit the first-level cache. */
const SQUARE = 64;

/** Bytes of the turned matrix held at once: all of BERT's vocabulary, a sixth of XLM-R's, for which the source is then read six times. */
const BAND = 32 * 1024 * 1024;

/** Bytes of the source read at once. */
const PIECE = 1024 * 1024;

/** Rows [first, last) of the turned matrix, which are columns of the source. */
interface Band {
  readonly first: number;
  readonly last: number;
  readonly bytes: Uint8Array;
}

/** A matrix of 8-bit elements turned: [R, C] becomes [C, R]. Made band by band as it is read from front to back; the last is let go when its end is read. */
export function transposed(tensor: Tensor, bandBytes = BAND): Tensor {
  const [rows = 1, columns = 1] = tensor.shape;
  const width = Math.max(1, Math.floor(bandBytes / rows));
  let held: Band | undefined;

  async function bandWith(column: number, signal?: AbortSignal): Promise<Band> {
    if (held && held.first <= column && column < held.last) return held;
    held = undefined;
    const first = column - (column % width);
    held = await turnBand(tensor, first, Math.min(columns, first + width), signal);
    return held;
  }

  const turned = computed(tensor.name, tensor.dtype, [columns, rows], async (start, end, signal) => {
    const into = new Uint8Array(end - start);
    for (let at = start; at < end; ) {
      const { first, last, bytes } = await bandWith(Math.floor(at / rows), signal);
      const to = Math.min(end, last * rows);
      into.set(bytes.subarray(at - first * rows, to - first * rows), at - start);
      at = to;
    }
    if (end === rows * columns) held = undefined;
    return into;
  });
  return madeFrom(tensor, turned);
}

async function turnBand(tensor: Tensor, first: number, last: number, signal?: AbortSignal): Promise<Band> {
  const [rows = 1, columns = 1] = tensor.shape;
  const bytes = new Uint8Array((last - first) * rows);
  const step = Math.max(SQUARE, Math.floor(PIECE / columns));
  for (let top = 0; top < rows; top += step) {
    throwIfCancelled(signal);
    const bottom = Math.min(rows, top + step);
    const piece_RC = await tensor.bytes(top * columns, bottom * columns, signal);
    for (let r = top; r < bottom; r += SQUARE)
      for (let c = first; c < last; c += SQUARE)
        turnSquare(piece_RC, top, columns, r, Math.min(bottom, r + SQUARE), c, Math.min(last, c + SQUARE), bytes, first, rows);
  }
  return { first, last, bytes };
}

/** Rows [r0, r1) and columns [c0, c1) of a piece that begins at row `top`, into a band that begins at column `first`. */
function turnSquare(
  piece_RC: Uint8Array,
  top: number,
  columns: number,
  r0: number,
  r1: number,
  c0: number,
  c1: number,
  band_CR: Uint8Array,
  first: number,
  rows: number,
): void {
  for (let r = r0; r < r1; r++)
    for (let c = c0; c < c1; c++) band_CR[(c - first) * rows + r] = piece_RC[(r - top) * columns + c]!;
}
