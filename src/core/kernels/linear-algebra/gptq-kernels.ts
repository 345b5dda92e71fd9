import { openInstance, STATIC } from '../instance.ts';
import { plainGptq } from './gptq-plain.ts';

/** Columns whose errors are gathered before they reach the columns behind the block (Frantar et al. 2023, 3.3: lazy batch updates). */
export const WIDTH = 128;

/** What the loops of GPTQ work on. A block is `width` columns, WIDTH at most: a multiple of 8, or of 4 for the last. Rows are filled up to a multiple of 4. */
export interface GptqMemory {
  /** [rows, stride]: columns filled up to a multiple of 8. */
  readonly weights: Float32Array;
  readonly stride: number;
  /** The block of U on the diagonal, [width, width]. */
  readonly upper: Float32Array;
  /** U behind the block: panels of eight columns, each [width, 8]. */
  readonly behind: Float32Array;
  /** Of each row, for the columns that are rounded next; or of each column of the block, [rows, width]. */
  readonly scales: Float32Array;
  readonly zeros: Float32Array;
  /** [rows, stride], the low byte of each level. */
  readonly levels: Uint8Array;
  /** (weight - what its level stands for) / U_ii of the block, [rows, width]. */
  readonly errors: Float32Array;
  /**
   * Rounds the columns [from, to) of the block that begins at column `block`, one after the other, level = clamp(rint(w / scale) + zero),
   * and takes errors * U from the columns of the block behind each. A scale of 0 gives the zero point.
   */
  roundColumns(block: number, width: number, from: number, to: number, low: number, high: number, byColumn?: boolean): void;
  /** Takes errors * U from the columns behind the block. */
  passOn(block: number, width: number): void;
}

export interface GptqShape {
  readonly rows: number;
  readonly stride: number;
}

/** Memory: 5 bytes for each weight, 1.5 KiB for each row, 512 bytes for each column, 64 KiB. */
export function openGptq(out: number, wide: number): GptqMemory {
  const shape = { rows: Math.ceil(out / 4) * 4, stride: Math.ceil(wide / 8) * 8 };
  const places = placesOf(shape);
  const instance = openInstance(places.end);
  if (!instance) return plainGptq(shape, arrays(new ArrayBuffer(places.end), 0, shape));
  const { call, buffer } = instance;
  const at = (place: number): number => STATIC + place;
  const { rows, stride } = shape;
  return {
    ...arrays(buffer, STATIC, shape),
    stride,
    roundColumns: (block, width, from, to, low, high, byColumn = false) =>
      call.gptqColumns!(
        ...[at(places.weights) + 4 * block, 4 * stride, rows, width, from, to],
        ...[at(places.upper), at(places.scales), at(places.zeros), low, high],
        ...[at(places.levels) + block, stride, at(places.errors), byColumn ? 1 : 0],
      ),
    passOn: (block, width) => {
      const next = block + width;
      const panels = Math.floor((stride - next) / 8);
      if (panels > 0)
        call.gptqBehind!(at(places.weights) + 4 * next, 4 * stride, rows, at(places.errors), width, at(places.behind), panels);
    },
  };
}

/** Bytes from the start, each a multiple of 16. */
function placesOf({ rows, stride }: GptqShape) {
  const weights = 0;
  const upper = 4 * rows * stride;
  const behind = upper + 4 * WIDTH * WIDTH;
  const scales = behind + 4 * WIDTH * stride;
  const zeros = scales + 4 * rows * WIDTH;
  const errors = zeros + 4 * rows * WIDTH;
  const levels = errors + 4 * rows * WIDTH;
  return { weights, upper, behind, scales, zeros, errors, levels, end: levels + rows * stride };
}

export type GptqArrays = Omit<GptqMemory, 'stride' | 'roundColumns' | 'passOn'>;

function arrays(buffer: ArrayBuffer, start: number, shape: GptqShape): GptqArrays {
  const { rows, stride } = shape;
  const places = placesOf(shape);
  return {
    weights: new Float32Array(buffer, start + places.weights, rows * stride),
    upper: new Float32Array(buffer, start + places.upper, WIDTH * WIDTH),
    behind: new Float32Array(buffer, start + places.behind, WIDTH * stride),
    scales: new Float32Array(buffer, start + places.scales, rows * WIDTH),
    zeros: new Float32Array(buffer, start + places.zeros, rows * WIDTH),
    errors: new Float32Array(buffer, start + places.errors, rows * WIDTH),
    levels: new Uint8Array(buffer, start + places.levels, rows * stride),
  };
}
