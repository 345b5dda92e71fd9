import type { Linear, Table } from '../anatomy/anatomy.ts';
import { floatsOf } from '../kernels/floats.ts';
import { turned, unpackWords, wordsOf } from '../passes/quantize/words.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import type { Acting } from './acting.ts';

// Words of compressed-tensors, pack-quantized: weight = (level - zero point) * scale, scales [out, groups] of equal groups along a row,
// zero points packed down their columns; without them the zero is the level in the middle.

/** A matrix in words as it acts; undefined for every other form, and for inputs in an order of their own. */
export async function actingWords(organ: Linear | Table, signal?: AbortSignal): Promise<Acting | undefined> {
  const { packed, weight } = organ;
  if (packed?.method !== 'compressed-tensors' || weight.dtype !== 'int32') return undefined;
  const beside = (part: string) => packed.tensors.find(({ name }) => name.endsWith(part));
  const scale = organ.scale ?? beside('weight_scale');
  const zeroPoint = organ.zeroPoint ?? beside('weight_zero_point');
  const { bits } = packed;
  const [rows, columns] = 'out' in organ ? [organ.out, organ.in] : [organ.rows, organ.width];
  const groups = scale ? elementCount(scale.shape) / rows : 0;
  if (!scale || beside('weight_g_idx') || !Number.isInteger(groups) || columns % groups !== 0) return undefined;
  const width = wordsOf(columns, bits);
  if (elementCount(weight.shape) !== rows * width) return undefined;
  const zeros = await zerosOf(zeroPoint, rows, groups, bits, signal);
  if (!zeros) return undefined;
  const scales = await floatsOf(scale, 0, rows * groups, signal);
  const size = columns / groups;
  return {
    rows,
    columns,
    transposed: false,
    async rowsOf(first, last, by) {
      const levels = unpackWords(await wordsIn(weight, first * width, last * width, by), last - first, columns, bits);
      const into = new Float32Array(levels.length);
      for (let r = first, i = 0; r < last; r++)
        for (let c = 0; c < columns; c++, i++) {
          const at = r * groups + Math.floor(c / size);
          into[i] = (levels[i]! - zeros[at]!) * scales[at]!;
        }
      return into;
    },
  };
}

/** [rows, groups]. */
async function zerosOf(tensor: Tensor | undefined, rows: number, groups: number, bits: number, signal?: AbortSignal) {
  if (!tensor) return new Uint8Array(rows * groups).fill(2 ** (bits - 1));
  const height = wordsOf(rows, bits);
  if (tensor.dtype !== 'int32' || elementCount(tensor.shape) !== height * groups) return undefined;
  const words = await wordsIn(tensor, 0, height * groups, signal);
  const across = new Uint32Array(words.length);
  for (let h = 0; h < height; h++) for (let g = 0; g < groups; g++) across[g * height + h] = words[h * groups + g]!;
  return turned(unpackWords(across, groups, rows, bits), groups, rows);
}

async function wordsIn(tensor: Tensor, start: number, end: number, signal?: AbortSignal): Promise<Uint32Array> {
  const bytes = await tensor.bytes(4 * start, 4 * end, signal);
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, end - start);
}
