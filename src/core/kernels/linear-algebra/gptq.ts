import { type GptqMemory, openGptq, WIDTH } from './gptq-kernels.ts';
import { scaleOf } from './group-scale.ts';

// O out, I in, G groups.

export interface GptqOptions {
  /** The levels, both included: [-8, 7], [0, 15], [-128, 127], … */
  readonly low: number;
  readonly high: number;
  /** Columns that share a scale: a multiple of 4; 1 where they are given for each. 0: the whole row. */
  readonly group: number;
  /** One zero point for all, in the middle of the levels; otherwise one for each group, where 0 is. */
  readonly symmetric: boolean;
  /** Shares of the range that are tried; the one with the least squared error is taken, each column weighted by 1 / U_ii^2. [1]: the range itself. */
  readonly ratios: readonly number[];
  /** Scales and zero points that are given, [O, G]: nothing is searched. */
  readonly given?: { readonly scale_OG: Float32Array; readonly zero_OG: Float32Array };
}

export interface GptqResult {
  /** Int8Array where `low` is negative. */
  readonly level_OI: Int8Array | Uint8Array;
  /** weight = (level - zero) * scale */
  readonly scale_OG: Float32Array;
  readonly zero_OG: Float32Array;
  /** The sum of (w - q)^2 / U_ii^2: what rounding adds to the squared error of the layer's outputs, times the number of samples as in H. */
  readonly loss: number;
}

/**
 * Rounds a matrix column by column, each column making up for what the ones before it lost.
 * weight_OI  [out, in], left as it is
 * upper_II   U with U^T U = H^-1 (inverseCholeskyUpper), H the sum of x x^T over calibration tokens, with damping
 * source     Frantar, Ashkboos, Hoefler, Alistarh: GPTQ, ICLR 2023, algorithm 1; scales are taken from the updated weights when their
 *            group begins. f32 as there.
 * memory     5 bytes of WebAssembly for each weight, 1 KiB for each row and column
 * `pause` is awaited between blocks: what it throws ends the work.
 */
export async function gptqBlock(
  weight_OI: Float32Array,
  out: number,
  wide: number,
  upper_II: Float64Array,
  options: GptqOptions,
  pause: () => Promise<void> = async () => {},
): Promise<GptqResult> {
  const memory = openGptq(out, wide);
  const { weights, stride, errors, levels } = memory;
  for (let r = 0; r < out; r++) weights.set(weight_OI.subarray(r * wide, (r + 1) * wide), r * stride);
  const group = options.group || wide;
  const groups = Math.ceil(wide / group);
  const tables = { scale_OG: new Float32Array(out * groups), zero_OG: new Float32Array(out * groups) };
  let loss = 0;
  for (let block = 0; block < wide; block += WIDTH) {
    await pause();
    const columns = Math.min(WIDTH, wide - block);
    const width = Math.ceil(columns / 4) * 4;
    placeUpper(memory, upper_II, wide, block, width);
    if (options.given && group === 1) {
      placeScales(memory, options.given, tables, { out, wide, block, columns, width });
      memory.roundColumns(block, width, 0, columns, options.low, options.high, true);
    }
    for (let from = options.given && group === 1 ? columns : 0; from < columns; ) {
      const at = Math.floor((block + from) / group);
      const to = Math.min(columns, (at + 1) * group - block);
      if (block + from === at * group) chooseScales(memory, upper_II, out, wide, at, group, options, tables);
      for (let r = 0; r < out; r++) {
        memory.scales[r] = tables.scale_OG[r * groups + at]!;
        memory.zeros[r] = tables.zero_OG[r * groups + at]!;
      }
      memory.roundColumns(block, width, from, to, options.low, options.high);
      from = to;
    }
    for (let r = 0; r < out; r++) for (let i = 0; i < columns; i++) loss += errors[r * width + i]! ** 2;
    memory.passOn(block, width);
  }
  const level_OI = options.low < 0 ? new Int8Array(out * wide) : new Uint8Array(out * wide);
  for (let r = 0; r < out; r++) level_OI.set(signed(levels.subarray(r * stride, r * stride + wide), options.low), r * wide);
  return { level_OI, ...tables, loss };
}

const signed = (bytes: Uint8Array, low: number): Int8Array | Uint8Array =>
  low < 0 ? new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes;

/** Scales that are given for each column by itself: those of a block. */
function placeScales(
  { scales, zeros }: GptqMemory,
  given: NonNullable<GptqOptions['given']>,
  { scale_OG, zero_OG }: Pick<GptqResult, 'scale_OG' | 'zero_OG'>,
  { out, wide, block, columns, width }: Readonly<Record<'out' | 'wide' | 'block' | 'columns' | 'width', number>>,
): void {
  for (let r = 0; r < out; r++) {
    const [first, last] = [r * wide + block, r * wide + block + columns];
    scales.set(given.scale_OG.subarray(first, last), r * width);
    zeros.set(given.zero_OG.subarray(first, last), r * width);
    scale_OG.set(given.scale_OG.subarray(first, last), first);
    zero_OG.set(given.zero_OG.subarray(first, last), first);
  }
}

/** The rows of U that a block needs; columns that fill it up are zeros, with ones on the diagonal. */
export function placeUpper(
  { upper, behind, errors, stride }: GptqMemory,
  upper_II: Float64Array,
  wide: number,
  block: number,
  width: number,
) {
  upper.fill(0);
  errors.fill(0);
  const next = block + width;
  behind.fill(0, 0, width * Math.max(0, stride - next));
  for (let k = 0; k < width; k++) {
    const row = (block + k) * wide;
    upper[k * width + k] = 1;
    if (block + k >= wide) continue;
    for (let c = block + k; c < Math.min(next, wide); c++) upper[k * width + c - block] = upper_II[row + c]!;
    for (let c = next; c < wide; c++) behind[((c - next) >> 3) * width * 8 + 8 * k + ((c - next) & 7)] = upper_II[row + c]!;
  }
}

/** Scales and zero points of a group, from the weights as they are now. */
function chooseScales(
  { weights, stride }: GptqMemory,
  upper_II: Float64Array,
  out: number,
  wide: number,
  at: number,
  group: number,
  options: GptqOptions,
  { scale_OG, zero_OG }: Pick<GptqResult, 'scale_OG' | 'zero_OG'>,
): void {
  const [first, last] = [at * group, Math.min(wide, (at + 1) * group)];
  const groups = Math.ceil(wide / group);
  const importance = Float64Array.from({ length: last - first }, (_, i) => upper_II[(first + i) * (wide + 1)]! ** -2);
  for (let r = 0; r < out; r++) {
    const place = r * groups + at;
    const values = weights.subarray(r * stride + first, r * stride + last);
    const { scale, zero } = options.given
      ? { scale: options.given.scale_OG[place]!, zero: options.given.zero_OG[place]! }
      : scaleOf(values, importance, options);
    scale_OG[place] = scale;
    zero_OG[place] = zero;
  }
}
