import type { BlockArrays, BlockRun, BlockShape } from './blocks.ts';

// The specification of rounding in blocks: see blocks.ts for the shapes. All in f32.

const { fround, max, min } = Math;

/** The smallest normal f32: below it a block is taken for zeros. */
const TINY = 2 ** -126;

/** Nearest integer, half to even. */
function rint(x: number): number {
  const up = Math.round(x);
  return up - x === 0.5 && up % 2 !== 0 ? up - 1 : up;
}

interface Chosen {
  readonly scale: number;
  readonly inverse: number;
  readonly zero: number;
}

/** One block of one channel: its scale and zero point, and its levels through `put`. */
function quantizeBlock(
  block: Float32Array,
  shape: Pick<BlockShape, 'bits' | 'symmetric' | 'ratios'>,
  put: (i: number, level: number) => void,
): Chosen {
  const top = 2 ** shape.bits - 1;
  const chosen = choose(block, shape, top);
  for (const [i, value] of block.entries()) {
    const level = rint(fround(value * chosen.inverse)) + chosen.zero;
    put(i, Number.isNaN(level) ? 0 : max(min(level, top), 0));
  }
  return chosen;
}

function choose(
  block: Float32Array,
  { bits, symmetric, ratios }: Pick<BlockShape, 'bits' | 'symmetric' | 'ratios'>,
  top: number,
) {
  let [low, high] = [0, 0];
  for (const value of block) [low, high] = [min(low, value), max(high, value)];
  if (symmetric) {
    high = max(high, -low);
    low = -high;
  }
  const span = fround(high - low);
  const middle = 2 ** (bits - 1);
  let best: Chosen = { scale: 0, inverse: 0, zero: middle };
  if (!(span < Infinity)) return { ...best, scale: span };
  let least = Infinity;
  for (const ratio of ratios) {
    const scale = fround(fround(span * ratio) / top);
    if (!(scale >= TINY)) continue;
    const inverse = fround(1 / scale);
    const zero = symmetric ? middle : max(min(rint(fround(fround(-low * ratio) * inverse)), top), 0);
    const error = ratios.length > 1 ? errorOf(block, scale, inverse, -zero, top - zero) : 0;
    if (error < least) [best, least] = [{ scale, inverse, zero }, error];
  }
  return best;
}

/** In four interleaved sums. */
function errorOf(block: Float32Array, scale: number, inverse: number, from: number, to: number): number {
  const sums = new Float32Array(4);
  for (const [i, value] of block.entries()) {
    const steps = max(min(rint(fround(value * inverse)), to), from);
    const change = fround(fround(steps * scale) - value);
    sums[i & 3]! += fround(change * change);
  }
  return fround(fround(sums[0]! + sums[1]!) + fround(sums[2]! + sums[3]!));
}

/** Fills the results of a run, and nothing else. */
export function plainBlocks(shape: BlockShape, run: BlockRun, { values, packed, scales, zeros }: BlockArrays): void {
  const { size, bits } = shape;
  const options = { ...shape, ratios: [...Float32Array.from(shape.ratios)] };
  const bytes = packed.length === 0 ? 0 : (size * bits) / 8;
  const block = new Float32Array(size);
  for (let c = 0; c < run.channels; c++)
    for (let first = 0; first < run.length; first += size) {
      const place = c * run.blocks + run.firstBlock + first / size;
      block.fill(0);
      for (let i = 0; i < Math.min(size, run.length - first); i++)
        block[i] = values[(run.start ?? 0) + c * run.channelStride + (first + i) * run.elementStride]!;
      const into = packed.subarray(place * bytes, (place + 1) * bytes).fill(0);
      const { scale, zero } = quantizeBlock(block, options, (i, level) => {
        if (bytes > 0) into[(i * bits) >> 3]! |= level << ((i * bits) & 7);
      });
      scales[place] = scale;
      zeros[place] = zero;
    }
}
