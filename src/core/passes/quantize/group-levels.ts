import { halfScale } from './half-scale.ts';

// Rows in groups of columns: weight = (level - zero) * scale, levels 0 to 2^bits - 1. R rows, C columns, G groups.

export interface GroupShape {
  /** Of a level: 2 to 8. */
  readonly bits: number;
  /** Columns that share a scale; the whole row is one group of all its columns. */
  readonly size: number;
  /**
   * The zero is the level in the middle, and the sign of the scale says which side has one level more: that of the larger weights.
   * Otherwise each group has the zero that fits it.
   */
  readonly symmetric: boolean;
  /** Shares of the range that are tried; the one with the least squared error is taken. */
  readonly ratios: readonly number[];
  /** Scales are numbers of fp16. */
  readonly halves?: boolean;
}

export interface Levels {
  readonly level_RC: Uint8Array;
  readonly scale_RG: Float32Array;
  readonly zero_RG: Uint8Array;
}

/**
 * Each weight to the nearest level of its group. Scales are f32; quotients are taken in f64, and halves go to even.
 * source: compressed-tensors 0.20, calculate_qparams: symmetric max|w| / ((2^bits - 1) / 2), asymmetric (max - min) / (2^bits - 1), 0 in
 *         the range; scales of either sign as llama.cpp's Q4_0
 * throws RangeError where a weight is NaN or infinite
 */
export function groupLevels(values_RC: Float32Array, rows: number, columns: number, shape: GroupShape): Levels {
  const groups = Math.ceil(columns / shape.size);
  const into: Levels = {
    level_RC: new Uint8Array(rows * columns),
    scale_RG: new Float32Array(rows * groups),
    zero_RG: new Uint8Array(rows * groups),
  };
  for (let r = 0; r < rows; r++)
    for (let g = 0; g < groups; g++) {
      const start = r * columns + g * shape.size;
      const end = Math.min(start + shape.size, (r + 1) * columns);
      group(values_RC, start, end, shape, into, r * groups + g);
    }
  return into;
}

/** What is added and taken away again leaves the nearest integer, half to even. */
const INTEGER = 2 ** 52 + 2 ** 51;

function group(values: Float32Array, start: number, end: number, shape: GroupShape, into: Levels, at: number): void {
  let [low, high] = [0, 0];
  for (let i = start; i < end; i++) {
    const value = values[i]!;
    if (value < low) low = value;
    else if (value > high) high = value;
    else if (!(value - value === 0)) high = Number.NaN;
  }
  if (!Number.isFinite(high - low)) throw new RangeError('not finite');
  const most = 2 ** shape.bits - 1;
  let least = Number.POSITIVE_INFINITY;
  const grids = shape.symmetric ? symmetricGrids(Math.max(-low, high), shape) : offsetGrids(low, high, shape);
  for (const { scale, zero } of grids) {
    const error = grids.length === 1 ? 0 : squaredError(values, start, end, scale, zero, most, least);
    if (error >= least) continue;
    least = error;
    into.scale_RG[at] = scale;
    into.zero_RG[at] = zero;
  }
  const [scale, zero] = [into.scale_RG[at]!, into.zero_RG[at]!];
  for (let i = start; i < end; i++) {
    const level = values[i]! / scale + zero + INTEGER - INTEGER;
    into.level_RC[i] = level < 0 ? 0 : Math.min(level, most);
  }
}

interface Grid {
  readonly scale: number;
  readonly zero: number;
}

/** A scale as it can be stored; 1 for a group of zeros. */
const stored = (scale: number, { halves }: GroupShape): number => (halves ? halfScale(scale) : Math.fround(scale)) || 1;

/** With the whole range within half a step of a level, and with the largest weight on the outermost level. */
function symmetricGrids(largest: number, shape: GroupShape): Grid[] {
  const zero = 2 ** (shape.bits - 1);
  const steps = [largest / (zero - 0.5), ...shape.ratios.map(ratio => (largest * ratio) / zero)];
  return steps.flatMap(step => {
    const scale = stored(step, shape);
    return [
      { scale, zero },
      { scale: -scale, zero },
    ];
  });
}

function offsetGrids(low: number, high: number, shape: GroupShape): Grid[] {
  const most = 2 ** shape.bits - 1;
  return shape.ratios.map(ratio => {
    const scale = stored((high * ratio - low * ratio) / most, shape);
    return { scale, zero: Math.min(most, (-low * ratio) / scale + INTEGER - INTEGER) };
  });
}

/** Given up once it is above `enough`. */
function squaredError(
  values: Float32Array,
  start: number,
  end: number,
  scale: number,
  zero: number,
  most: number,
  enough: number,
): number {
  let sum = 0;
  for (let i = start; i < end && sum < enough; i++) {
    const value = values[i]!;
    let level = value / scale + zero + INTEGER - INTEGER;
    level = level < 0 ? 0 : Math.min(level, most);
    const error = value - (level - zero) * scale;
    sum += error * error;
  }
  return sum;
}
