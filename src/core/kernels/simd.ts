import { type Exports, openInstance, STATIC } from './instance.ts';
import { rangeOf } from './plain.ts';
import { type Bytes8, ERROR_BLOCK, type Kernels } from './signatures.ts';

// The seam to the WebAssembly kernels: what they work on is copied through a memory of fixed size, tile by tile.
//
//     0          STATIC   +1 MiB      +1 MiB    +1 MiB     +1 MiB
//     | compiler | first  | second    | scale   | zero     |
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
const BYTES = ZERO + TILE - STATIC;

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

/** undefined where there is no WebAssembly, or none with SIMD, or it was not built. */
function load(): Kernels | undefined {
  const instance = openInstance(BYTES);
  return instance && seam(instance.call, instance.buffer);
}

function seam(call: Exports, buffer: ArrayBuffer): Kernels {
  const f32 = new Float32Array(buffer);
  const f64 = new Float64Array(buffer);
  const i32 = new Int32Array(buffer);
  const u16 = new Uint16Array(buffer);
  const u8 = new Uint8Array(buffer);
  const i8 = new Int8Array(buffer);

  const bytesIn = (integers: Bytes8, start: number, end: number) =>
    integers instanceof Int8Array ? i8.set(integers.subarray(start, end), FIRST) : u8.set(integers.subarray(start, end), FIRST);
  const bytesOut = (into: Bytes8, { start, end }: Tile) =>
    into instanceof Int8Array
      ? into.set(i8.subarray(SECOND, SECOND + end - start), start)
      : into.set(u8.subarray(SECOND, SECOND + end - start), start);

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
    for (const tile of elements === 0 ? [] : pieces(rows, columns)) {
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

  const pieces = (rows: number, columns: number) => tilesOf(rows, columns);
  const rowsOf = (elements: number, columns: number) => (columns === 0 ? 0 : elements / columns);

  function quantize(name: string, byRow: boolean, values: Float32Array, scale: Float32Array, zeroPoint: number, into: Bytes8) {
    const columns = byRow ? rowsOf(values.length, scale.length) : scale.length;
    const [low, high] = rangeOf(into);
    for (const tile of pieces(byRow ? scale.length : rowsOf(values.length, columns), columns)) {
      f32.set(values.subarray(tile.start, tile.end), FIRST / 4);
      parameters(tile, byRow, scale);
      call[name]!(FIRST, tile.rows, tile.columns, SCALE, zeroPoint, low, high, SECOND);
      bytesOut(into, tile);
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
    const columns = byRow ? rowsOf(integers.length, scale.length) : scale.length;
    for (const tile of pieces(byRow ? scale.length : rowsOf(integers.length, columns), columns)) {
      bytesIn(integers, tile.start, tile.end);
      parameters(tile, byRow, scale, zeroPoint);
      call[name]!(FIRST, flag(integers), tile.rows, tile.columns, SCALE, ZERO, SECOND);
      into.set(f32.subarray(SECOND / 4, SECOND / 4 + tile.end - tile.start), tile.start);
    }
  }

  /** Element by element, in tiles whose length is rounded up to a multiple of four: the memory has room, and what is beyond is not copied out. */
  function convert(name: string, values: Float32Array | Uint16Array, into: Float32Array | Uint16Array) {
    const bitsIn = values instanceof Float32Array ? new Uint32Array(values.buffer, values.byteOffset, values.length) : values;
    const bitsOut = into instanceof Float32Array ? new Uint32Array(into.buffer, into.byteOffset, into.length) : into;
    const u32 = new Uint32Array(buffer);
    for (const { start, end } of pieces(values.length === 0 ? 0 : 1, values.length)) {
      if (bitsIn instanceof Uint32Array) u32.set(bitsIn.subarray(start, end), FIRST / 4);
      else u16.set(bitsIn.subarray(start, end), FIRST / 2);
      call[name]!(FIRST, (end - start + 3) & ~3, SECOND);
      if (bitsOut instanceof Uint32Array) bitsOut.set(u32.subarray(SECOND / 4, SECOND / 4 + end - start), start);
      else bitsOut.set(u16.subarray(SECOND / 2, SECOND / 2 + end - start), start);
    }
  }

  return {
    absMaxByColumn: (values, into) => {
      accumulate(values.length, rowsOf(values.length, into.length), into.length, false, into, tile => {
        f32.set(values.subarray(tile.start, tile.end), FIRST / 4);
        call.absMaxByColumn!(FIRST, tile.rows, tile.columns, SCALE);
      });
    },
    absMaxByRow: (values, into) => {
      accumulate(values.length, into.length, rowsOf(values.length, into.length), true, into, tile => {
        f32.set(values.subarray(tile.start, tile.end), FIRST / 4);
        call.absMaxByRow!(FIRST, tile.rows, tile.columns, SCALE);
      });
    },
    minMax: (values, into) => {
      f32.set(into, SCALE / 4);
      for (const { start, end } of pieces(values.length === 0 ? 0 : 1, values.length)) {
        f32.set(values.subarray(start, end), FIRST / 4);
        call.minMax!(FIRST, end - start, SCALE);
      }
      into.set(f32.subarray(SCALE / 4, SCALE / 4 + 2));
    },
    quantizeByColumn: (values, scale, zeroPoint, into) => quantize('quantizeByColumn', false, values, scale, zeroPoint, into),
    quantizeByRow: (values, scale, zeroPoint, into) => quantize('quantizeByRow', true, values, scale, zeroPoint, into),
    dequantizeByColumn: (integers, scale, zero, into) => dequantize('dequantizeByColumn', false, integers, scale, zero, into),
    dequantizeByRow: (integers, scale, zero, into) => dequantize('dequantizeByRow', true, integers, scale, zero, into),
    sumByColumn: (integers, zeroPoint, into) => {
      accumulate(integers.length, rowsOf(integers.length, into.length), into.length, false, into, tile => {
        bytesIn(integers, tile.start, tile.end);
        call.sumByColumn!(FIRST, flag(integers), tile.rows, tile.columns, zeroPoint, SCALE);
      });
    },
    sumByRow: (integers, zeroPoint, into) => {
      accumulate(integers.length, into.length, rowsOf(integers.length, into.length), true, into, tile => {
        bytesIn(integers, tile.start, tile.end);
        call.sumByRow!(FIRST, flag(integers), tile.rows, tile.columns, zeroPoint, SCALE);
      });
    },
    toHalf: (values, into) => convert('toHalf', values, into),
    fromHalf: (values, into) => convert('fromHalf', values, into),
    fromBfloat: (values, into) => convert('fromBfloat', values, into),
    fromNibbles: (bytes, signed, into) => {
      for (const { start, end } of pieces(into.length === 0 ? 0 : 1, into.length)) {
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

export const simd: Kernels | undefined = load();
