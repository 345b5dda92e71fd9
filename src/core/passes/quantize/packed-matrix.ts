import { rowRuns } from '../../kernels/floats.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { deferred, once } from '../computed.ts';
import { sidesOf } from './eight-bits.ts';
import { type GroupShape, groupLevels } from './group-levels.ts';
import { notFinite } from './not-finite.ts';
import { packWords, turned, wordsOf } from './words.ts';

/** A matrix [out, in] as compressed-tensors packs it. Computed when one of the tensors is first read, and held until the last is. */
export interface PackedMatrix {
  /** int32 [out, ceil(in * bits / 32)]. */
  readonly values: Tensor;
  /** f32 [out, groups]. */
  readonly scale: Tensor;
  /** int32 [ceil(out * bits / 32), groups]; absent where the grid is symmetric. */
  readonly zeroPoint?: Tensor;
}

interface Made {
  readonly values: Uint32Array;
  readonly scale: Float32Array;
  readonly zeroPoint: Uint32Array;
}

export function packMatrix(weight: Tensor, id: string, shape: GroupShape): PackedMatrix {
  const [rows, columns] = sidesOf(weight);
  const { bits, size } = shape;
  const groups = Math.ceil(columns / size);
  const width = wordsOf(columns, bits);

  async function make(signal?: AbortSignal): Promise<Made> {
    const values = new Uint32Array(rows * width);
    const scale = new Float32Array(rows * groups);
    const zeros = new Uint8Array(rows * groups);
    for await (const { first, last, values_RC } of rowRuns(weight, columns, 0, rows, signal)) {
      const { level_RC, scale_RG, zero_RG } = levelsOf(values_RC, last - first);
      values.set(packWords(level_RC, last - first, columns, bits), first * width);
      scale.set(scale_RG, first * groups);
      zeros.set(zero_RG, first * groups);
    }
    return { values, scale, zeroPoint: down(zeros) };
  }

  function levelsOf(values_RC: Float32Array, count: number) {
    try {
      return groupLevels(values_RC, count, columns, shape);
    } catch (error) {
      throw error instanceof RangeError ? notFinite(id) : error;
    }
  }

  /** Zero points lie packed down their columns. */
  const down = (zeros: Uint8Array): Uint32Array => {
    const words = packWords(turned(zeros, rows, groups), groups, rows, bits);
    const height = wordsOf(rows, bits);
    const into = new Uint32Array(words.length);
    for (let g = 0; g < groups; g++) for (let w = 0; w < height; w++) into[w * groups + g] = words[g * height + w]!;
    return into;
  };

  const made = once(make);
  const values = deferred('values', 'int32', [rows, width], async signal => (await made(signal)).values);
  const scale = deferred('scale', 'fp32', [rows, groups], async signal => (await made(signal)).scale);
  if (shape.symmetric) return { values, scale };
  const height = wordsOf(rows, bits);
  return {
    values,
    scale,
    zeroPoint: deferred('zeroPoint', 'int32', [height, groups], async signal => (await made(signal)).zeroPoint),
  };
}
