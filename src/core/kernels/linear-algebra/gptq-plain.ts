import type { GptqArrays, GptqMemory, GptqShape } from './gptq-kernels.ts';

// The specification of GPTQ's inner loops: see gptq-kernels.ts for the shapes. All in f32.

const { fround, max, min } = Math;

/** Nearest integer, half to even. */
function rint(x: number): number {
  const up = Math.round(x);
  return up - x === 0.5 && up % 2 !== 0 ? up - 1 : up;
}

export function plainGptq({ rows, stride }: GptqShape, arrays: GptqArrays): GptqMemory {
  const { weights, upper, behind, scales, zeros, levels, errors } = arrays;
  return {
    ...arrays,
    stride,
    roundColumns: (block, width, from, to, low, high, byColumn = false) => {
      for (let r = 0; r < rows; r++)
        for (let i = from; i < to; i++) {
          const at = r * stride + block;
          const place = byColumn ? r * width + i : r;
          const [weight, scale, zero] = [weights[at + i]!, scales[place]!, zeros[place]!];
          const level = scale > 0 ? max(min(fround(rint(fround(weight / scale)) + zero), high), low) : zero;
          levels[at + i] = level;
          const change = fround(fround(weight - fround(fround(level - zero) * scale)) / upper[i * width + i]!);
          errors[r * width + i] = change;
          for (let j = (i + 1) & ~3; j < width; j++) weights[at + j] = weights[at + j]! - fround(change * upper[i * width + j]!);
        }
    },
    passOn: (block, width) => {
      for (let r = 0; r < rows; r++)
        for (let c = block + width; c < stride - (width % 8); c++) {
          const panel = Math.floor((c - block - width) / 8) * width * 8 + ((c - block - width) % 8);
          let weight = weights[r * stride + c]!;
          for (let k = 0; k < width; k++) weight = fround(weight - fround(errors[r * width + k]! * behind[panel + 8 * k]!));
          weights[r * stride + c] = weight;
        }
    },
  };
}
