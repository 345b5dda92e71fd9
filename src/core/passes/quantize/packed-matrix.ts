import { rowRuns } from '../../kernels/floats.ts';
import { kernels } from '../../kernels/kernels.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { deferred, once } from '../computed.ts';
import { sidesOf } from './eight-bits.ts';
import { type GroupShape, groupLevels, type Levels } from './group-levels.ts';
import { notFinite } from './not-finite.ts';
import { packWords, turned, wordsOf } from './words.ts';

// R rows (outputs), C columns (inputs), G groups of columns.

/** A matrix [out, in] as compressed-tensors packs it. Computed when one of the tensors is first read, and held until the last is. */
export interface PackedMatrix {
  /** int32 [out, ceil(in * bits / 32)]. */
  readonly values: Tensor;
  /** fp16 [out, groups]. */
  readonly scale: Tensor;
  /** int32 [ceil(out * bits / 32), groups]; absent where the grid is symmetric. */
  readonly zeroPoint?: Tensor;
}

export interface PackedShape {
  readonly rows: number;
  readonly columns: number;
  readonly groups: number;
  readonly bits: number;
  readonly symmetric: boolean;
}

/** Bytes of the tensors of a packed matrix, the 16 of its shape included. */
export function packedBytes({ rows, columns, groups, bits, symmetric }: PackedShape): number {
  return 4 * rows * wordsOf(columns, bits) + 2 * rows * groups + (symmetric ? 0 : 4 * wordsOf(rows, bits) * groups) + 16;
}

/** Levels in words, [out, ceil(in * bits / 32)], and scales that are numbers of fp16. */
export interface PackedLevels {
  readonly words: Uint32Array;
  readonly scale_RG: Float32Array;
  readonly zero_RG: Uint8Array;
}

/** Each weight to the nearest level of its group. */
export function packMatrix(weight: Tensor, id: string, shape: Omit<GroupShape, 'halves'>): PackedMatrix {
  const [rows, columns] = sidesOf(weight);
  const { bits, size, symmetric } = shape;
  const groups = Math.ceil(columns / size);
  const width = wordsOf(columns, bits);
  return packedFrom({ rows, columns, groups, bits, symmetric }, async signal => {
    const words = new Uint32Array(rows * width);
    const scales = new Float32Array(rows * groups);
    const zeros = new Uint8Array(rows * groups);
    for await (const { first, last, values_RC } of rowRuns(weight, columns, 0, rows, signal)) {
      const { level_RC, scale_RG, zero_RG } = levelsOf(values_RC, last - first);
      words.set(packWords(level_RC, last - first, columns, bits), first * width);
      scales.set(scale_RG, first * groups);
      zeros.set(zero_RG, first * groups);
    }
    return { words, scale_RG: scales, zero_RG: zeros };
  });

  function levelsOf(values_RC: Float32Array, count: number): Levels {
    try {
      return groupLevels(values_RC, count, columns, { ...shape, halves: true });
    } catch (error) {
      throw error instanceof RangeError ? notFinite(id) : error;
    }
  }
}

/** The tensors of levels that are found when one of them is first read. */
export function packedFrom(shape: PackedShape, levels: (signal?: AbortSignal) => Promise<PackedLevels>): PackedMatrix {
  const { rows, columns, groups, bits, symmetric } = shape;
  const made = once(async signal => {
    const { words, scale_RG, zero_RG } = await levels(signal);
    const scale = new Uint16Array(scale_RG.length);
    kernels.toHalf(scale_RG, scale);
    return { values: words, scale, zeroPoint: downColumns(zero_RG, shape) };
  });
  const values = deferred('values', 'int32', [rows, wordsOf(columns, bits)], async signal => (await made(signal)).values);
  const scale = deferred('scale', 'fp16', [rows, groups], async signal => (await made(signal)).scale);
  if (symmetric) return { values, scale };
  const zeros = async (signal?: AbortSignal) => (await made(signal)).zeroPoint;
  return { values, scale, zeroPoint: deferred('zeroPoint', 'int32', [wordsOf(rows, bits), groups], zeros) };
}

/** Zero points lie packed down their columns. */
function downColumns(zero_RG: Uint8Array, { rows, groups, bits }: PackedShape): Uint32Array {
  const words = packWords(turned(zero_RG, rows, groups), groups, rows, bits);
  const height = wordsOf(rows, bits);
  const into = new Uint32Array(words.length);
  for (let g = 0; g < groups; g++) for (let w = 0; w < height; w++) into[w * groups + g] = words[g * height + w]!;
  return into;
}
