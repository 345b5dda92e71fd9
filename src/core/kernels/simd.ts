import { arena } from './arena.ts';
import { type Exports, STATIC } from './instance.ts';
import { rangeOf } from './plain.ts';
import { type Bytes8, ERROR_BLOCK, type Kernels } from './signatures.ts';

// The seam to the WebAssembly kernels: what lies in their memory (scratch.ts) is worked on where it is, the rest is copied through, tile by tile.
//
//     0          STATIC   +1 MiB      +1 MiB    +1 MiB     +1 MiB
//     | compiler | first  | second    | scale   | zero     | scratch
//
// A tile of 1 MiB stays in the processor's second-level cache between the copy in, the work and the copy out.

const TILE = 1024 * 1024;
/** f32 elements in a tile; a multiple of ERROR_BLOCK. */
const TILE_ELEMENTS = TILE / 4;

/** 4-byte aligned places in the memory. */
const FIRST = STATIC;
const SECOND = FIRST + TILE;
const SCALE = SECOND + TILE;
const ZERO = SCALE + TILE;

type Numbers = Float32Array | Uint16Array | Bytes8;

/** A run of whole rows, or, when a row is longer than a tile, a piece of one row. */
interface Tile {
  readonly row: number;
  readonly rows: number;
  readonly column: number;
  readonly columns: number;
  /** Elements [start, end) of the matrix. */
  readonly start: number;
  readonly end: number;
}

export function* tilesOf(rows: number, columns: number, most = TILE_ELEMENTS): Generator<Tile> {
  if (columns <= most) {
    const step = Math.floor(most / Math.max(columns, 1));
    for (let row = 0; row < rows; row += step) {
      const count = Math.min(step, rows - row);
      yield { row, rows: count, column: 0, columns, start: row * columns, end: (row + count) * columns };
    }
    return;
  }
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column += most) {
      const count = Math.min(most, columns - column);
      const start = row * columns + column;
      yield { row, rows: 1, column, columns: count, start, end: start + count };
    }
}

const flag = (integers: Bytes8): number => (integers instanceof Int8Array ? 1 : 0);

function seam(call: Exports, buffer: ArrayBuffer): Kernels {
  const f32 = new Float32Array(buffer);
  const f64 = new Float64Array(buffer);
  const i32 = new Int32Array(buffer);
  const u8 = new Uint8Array(buffer);

  const bytesOf = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

  /** Where elements [start, end) are to be read: where they lie, or at `place`, to which they are copied. */
  function read(array: Numbers, start: number, end: number, place: number): number {
    const width = array.BYTES_PER_ELEMENT;
    if (array.buffer === buffer) return array.byteOffset + width * start;
    u8.set(bytesOf(array).subarray(width * start, width * end), place);
    return place;
  }

  /** Elements [start, end) made by `work`: where they lie, or at `place`, from which they are copied. */
  function write(into: Numbers, start: number, end: number, place: number, work: (at: number) => void): void {
    const width = into.BYTES_PER_ELEMENT;
    const isHere = into.buffer === buffer;
    work(isHere ? into.byteOffset + width * start : place);
    if (!isHere) bytesOf(into).set(u8.subarray(place, place + width * (end - start)), width * start);
  }

  /** Runs `work` on each tile with that tile's share of an array by row or by column, copied to SCALE and back into it. */
  function accumulate(
    elements: number,
    rows: number,
    columns: number,
    byRow: boolean,
    into: Float32Array | Int32Array,
    work: (tile: Tile) => void,
  ): void {
    const view = into instanceof Int32Array ? i32 : f32;
    for (const tile of elements === 0 ? [] : tilesOf(rows, columns)) {
      const start = byRow ? tile.row : tile.column;
      const length = byRow ? tile.rows : tile.columns;
      view.set(into.subarray(start, start + length), SCALE / 4);
      work(tile);
      into.set(view.subarray(SCALE / 4, SCALE / 4 + length), start);
    }
  }

  /** Scales, and zero points, of a tile. */
  function parameters(tile: Tile, byRow: boolean, scale: Float32Array, zeroPoint?: Float32Array): void {
    const start = byRow ? tile.row : tile.column;
    const end = start + (byRow ? tile.rows : tile.columns);
    f32.set(scale.subarray(start, end), SCALE / 4);
    if (zeroPoint) f32.set(zeroPoint.subarray(start, end), ZERO / 4);
  }

  const rowsOf = (elements: number, columns: number) => (columns === 0 ? 0 : elements / columns);
  /** Tiles of elements in no order of rows and columns. */
  const runsOf = (elements: number) => tilesOf(elements === 0 ? 0 : 1, elements);
  const sidesOf = (elements: number, byRow: boolean, { length }: Float32Array): readonly [rows: number, columns: number] =>
    byRow ? [length, rowsOf(elements, length)] : [rowsOf(elements, length), length];

  function quantize(name: string, byRow: boolean, values: Float32Array, scale: Float32Array, zeroPoint: number, into: Bytes8) {
    const [low, high] = rangeOf(into);
    for (const tile of tilesOf(...sidesOf(values.length, byRow, scale))) {
      const from = read(values, tile.start, tile.end, FIRST);
      parameters(tile, byRow, scale);
      write(into, tile.start, tile.end, SECOND, to =>
        call[name]!(from, tile.rows, tile.columns, SCALE, zeroPoint, low, high, to),
      );
    }
  }

  function dequantize(
    name: string,
    byRow: boolean,
    integers: Bytes8,
    scale: Float32Array,
    zeroPoint: Float32Array,
    into: Float32Array,
  ) {
    for (const tile of tilesOf(...sidesOf(integers.length, byRow, scale))) {
      const from = read(integers, tile.start, tile.end, FIRST);
      parameters(tile, byRow, scale, zeroPoint);
      write(into, tile.start, tile.end, SECOND, to =>
        call[name]!(from, flag(integers), tile.rows, tile.columns, SCALE, ZERO, to),
      );
    }
  }

  /** In place. */
  function scale(name: string, byRow: boolean, values: Float32Array, factor: Float32Array) {
    for (const tile of tilesOf(...sidesOf(values.length, byRow, factor))) {
      const at = read(values, tile.start, tile.end, FIRST);
      parameters(tile, byRow, factor);
      write(values, tile.start, tile.end, FIRST, () => call[name]!(at, tile.rows, tile.columns, SCALE));
    }
  }

  /** Element by element. Did the kernel say yes of any run? */
  function convert(name: string, values: Float32Array | Uint16Array, into: Float32Array | Uint16Array): boolean {
    let found = false;
    for (const { start, end } of runsOf(values.length)) {
      const from = read(values, start, end, FIRST);
      write(into, start, end, SECOND, to => {
        if (call[name]!(from, end - start, to)) found = true;
      });
    }
    return found;
  }

  return {
    absMaxByColumn: (values, into) => {
      accumulate(values.length, rowsOf(values.length, into.length), into.length, false, into, tile => {
        call.absMaxByColumn!(read(values, tile.start, tile.end, FIRST), tile.rows, tile.columns, SCALE);
      });
    },
    absMaxByRow: (values, into) => {
      accumulate(values.length, into.length, rowsOf(values.length, into.length), true, into, tile => {
        call.absMaxByRow!(read(values, tile.start, tile.end, FIRST), tile.rows, tile.columns, SCALE);
      });
    },
    minMax: (values, into) => {
      f32.set(into, SCALE / 4);
      for (const { start, end } of runsOf(values.length)) call.minMax!(read(values, start, end, FIRST), end - start, SCALE);
      into.set(f32.subarray(SCALE / 4, SCALE / 4 + 2));
    },
    quantizeByColumn: (values, scale, zeroPoint, into) => quantize('quantizeByColumn', false, values, scale, zeroPoint, into),
    quantizeByRow: (values, scale, zeroPoint, into) => quantize('quantizeByRow', true, values, scale, zeroPoint, into),
    dequantizeByColumn: (integers, scale, zero, into) => dequantize('dequantizeByColumn', false, integers, scale, zero, into),
    dequantizeByRow: (integers, scale, zero, into) => dequantize('dequantizeByRow', true, integers, scale, zero, into),
    scaleByColumn: (values, factor) => scale('scaleByColumn', false, values, factor),
    scaleByRow: (values, factor) => scale('scaleByRow', true, values, factor),
    sumByColumn: (integers, zeroPoint, into) => {
      accumulate(integers.length, rowsOf(integers.length, into.length), into.length, false, into, tile => {
        const from = read(integers, tile.start, tile.end, FIRST);
        call.sumByColumn!(from, flag(integers), tile.rows, tile.columns, zeroPoint, SCALE);
      });
    },
    sumByRow: (integers, zeroPoint, into) => {
      accumulate(integers.length, into.length, rowsOf(integers.length, into.length), true, into, tile => {
        const from = read(integers, tile.start, tile.end, FIRST);
        call.sumByRow!(from, flag(integers), tile.rows, tile.columns, zeroPoint, SCALE);
      });
    },
    toHalf: (values, into) => convert('toHalf', values, into),
    fromHalf: (values, into) => void convert('fromHalf', values, into),
    fromBfloat: (values, into) => void convert('fromBfloat', values, into),
    fromNibbles: (bytes, signed, into) => {
      for (const { start, end } of runsOf(into.length)) {
        u8.set(bytes.subarray(start / 2, Math.ceil(end / 2)), FIRST);
        call.fromNibbles!(FIRST, signed ? 1 : 0, (end - start + 15) & ~15, SECOND);
        into.set(f32.subarray(SECOND / 4, SECOND / 4 + end - start), start);
      }
    },
    errorSums: (before, after, into) => {
      for (let start = 0; start < before.length; start += ERROR_BLOCK) {
        const end = Math.min(start + ERROR_BLOCK, before.length);
        const padded = (end - start + 3) & ~3;
        f32.fill(0, FIRST / 4, FIRST / 4 + padded).fill(0, SECOND / 4, SECOND / 4 + padded);
        f32.set(before.subarray(start, end), FIRST / 4);
        f32.set(after.subarray(start, end), SECOND / 4);
        call.errorSums!(FIRST, SECOND, padded, SCALE);
        for (let sum = 0; sum < 4; sum++) into[sum]! += f64[SCALE / 8 + sum]!;
        into[4] = Math.max(into[4]!, f64[SCALE / 8 + 4]!);
      }
    },
  };
}

/** undefined where there is no WebAssembly, or none with SIMD, or it was not built. */
export const simd: Kernels | undefined = arena && seam(arena.call, arena.buffer);
