import { plainBlocks } from './blocks-plain.ts';
import { openInstance, STATIC } from './instance.ts';

/** How weights are rounded in blocks: weight = (level - zero point) * scale. */
export interface BlockShape {
  /** 1 to 8. Levels are stored for 2, 4 and 8; other widths give scales and zero points only. */
  readonly bits: number;
  /** Weights of a block: a multiple of 16. */
  readonly size: number;
  /** The zero point in the middle of the levels; otherwise where 0 is. */
  readonly symmetric: boolean;
  /** Shares of the range that are tried, the one with the least squared error is taken. [1]: the range itself. */
  readonly ratios: readonly number[];
}

/** Some of the blocks of a matrix, as they lie among the values. */
export interface BlockRun {
  readonly channels: number;
  /** Elements of each channel; the last block may be cut short by them. */
  readonly length: number;
  /** In elements. */
  readonly channelStride: number;
  readonly elementStride: number;
  /** The blocks that a channel has in all, and the first of this run. */
  readonly blocks: number;
  readonly firstBlock: number;
  /** The element of the values that the run begins at. 0 when absent. */
  readonly start?: number;
}

export interface BlockMemory {
  readonly values: Float32Array;
  /** [channels, blocks, size * bits / 8], low bits first. */
  readonly packed: Uint8Array;
  /** [channels, blocks]. 0 for a block of zeros; NaN or infinity where a weight is not finite. */
  readonly scales: Float32Array;
  /** [channels, blocks]. */
  readonly zeros: Uint8Array;
  quantize(run: BlockRun): void;
}

/** Widths whose levels fill bytes. */
const isPacked = (bits: number): boolean => bits === 2 || bits === 4 || bits === 8;

/** Room for so many values, and the results of so many blocks: SIMD WebAssembly, or plain TypeScript where there is none: the same bits. */
export function openBlocks(shape: BlockShape, values: number, blocks: number): BlockMemory {
  const places = placesOf(shape, values, blocks);
  const instance = openInstance(places.end);
  if (!instance) {
    const memory = arrays(new ArrayBuffer(places.end), 0, places, values, blocks);
    return { ...memory, quantize: run => plainBlocks(shape, run, memory) };
  }
  const { call, buffer } = instance;
  const { bits, size, symmetric, ratios } = shape;
  new Float32Array(buffer, STATIC + places.ratios, ratios.length).set(ratios);
  const bytes = isPacked(bits) ? (size * bits) / 8 : 0;
  return {
    ...arrays(buffer, STATIC, places, values, blocks),
    quantize: ({ channels, length, channelStride, elementStride, blocks: all, firstBlock, start = 0 }) => {
      for (let at = 0, block = firstBlock; at < length; at += size, block++)
        call.quantizeBlocks!(
          ...[STATIC + places.values + 4 * (start + at * elementStride), 4 * channelStride, 4 * elementStride],
          ...[channels, Math.min(size, length - at), size, bits, symmetric ? 1 : 0],
          ...[STATIC + places.ratios, ratios.length],
          ...[bytes > 0 ? STATIC + places.packed + block * bytes : 0, all * bytes],
          ...[STATIC + places.scales + 4 * block, 4 * all, STATIC + places.zeros + block, all, STATIC + places.panel],
        );
    },
  };
}

/** Bytes from the start. */
function placesOf({ bits, size, ratios }: BlockShape, values: number, blocks: number) {
  const panel = 0;
  const tried = 16 * size;
  const first = tried + 16 * Math.ceil(ratios.length / 4);
  const scales = first + 16 * Math.ceil(values / 4);
  const packed = scales + 16 * Math.ceil(blocks / 4);
  const zeros = packed + (isPacked(bits) ? (blocks * size * bits) / 8 : 0);
  return { panel, ratios: tried, values: first, scales, packed, zeros, end: zeros + blocks };
}

export type BlockArrays = Omit<BlockMemory, 'quantize'>;

const arrays = (
  buffer: ArrayBuffer,
  start: number,
  places: ReturnType<typeof placesOf>,
  values: number,
  blocks: number,
): BlockArrays => ({
  values: new Float32Array(buffer, start + places.values, values),
  packed: new Uint8Array(buffer, start + places.packed, places.zeros - places.packed),
  scales: new Float32Array(buffer, start + places.scales, blocks),
  zeros: new Uint8Array(buffer, start + places.zeros, blocks),
});
