import { arena } from './arena.ts';
import { plainBlocks } from './blocks-plain.ts';
import { type Exports, openInstance, STATIC } from './instance.ts';

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
  /** Of `values`, or of other values: those in scratch buffers are worked on where they lie. */
  quantize(run: BlockRun, values?: Float32Array): void;
}

/** Bytes of the kernel's own for each weight of a block. */
const PANEL = 64;

/** Widths whose levels fill bytes. */
const isPacked = (bits: number): boolean => bits === 2 || bits === 4 || bits === 8;

/** Room for so many values, and the results of so many blocks: SIMD WebAssembly, or plain TypeScript where there is none: the same bits. */
export function openBlocks(shape: BlockShape, values: number, blocks: number): BlockMemory {
  const places = placesOf(shape, values, blocks);
  const instance = openInstance(places.end);
  if (instance) return inMemory(instance, STATIC, places, shape, values, blocks);
  const memory = arrays(new ArrayBuffer(places.end), 0, places, values, blocks);
  return { ...memory, quantize: (run, other = memory.values) => plainBlocks(shape, run, { ...memory, values: other }) };
}

/** The same among the scratch buffers as long as there is room; it holds anything. Give it back when nothing is read from it any more. */
export function borrowBlocks(shape: BlockShape, values: number, blocks: number): BlockMemory & { giveBack(): void } {
  const places = placesOf(shape, values, blocks);
  const room = arena?.allocate(places.end);
  if (!arena || !room) return { ...openBlocks(shape, values, blocks), giveBack: () => undefined };
  return { ...inMemory(arena, room.byteOffset, places, shape, values, blocks), giveBack: () => void arena!.free(room) };
}

function inMemory(
  { call, buffer }: { readonly call: Exports; readonly buffer: ArrayBuffer },
  start: number,
  places: ReturnType<typeof placesOf>,
  { bits, size, symmetric, ratios }: BlockShape,
  values: number,
  blocks: number,
): BlockMemory {
  const memory = arrays(buffer, start, places, values, blocks);
  new Float32Array(buffer, start + places.ratios, ratios.length).set(ratios);
  const bytes = isPacked(bits) ? (size * bits) / 8 : 0;
  return {
    ...memory,
    quantize: ({ channels, length, channelStride, elementStride, blocks: all, firstBlock, start: first = 0 }, other) => {
      const isHere = other?.buffer === buffer;
      if (other && !isHere) memory.values.set(other);
      const from = (isHere ? other.byteOffset : start + places.values) + 4 * first;
      for (let at = 0, block = firstBlock; at < length; at += size, block++)
        call.quantizeBlocks!(
          ...[from + 4 * at * elementStride, 4 * channelStride, 4 * elementStride],
          ...[channels, Math.min(size, length - at), size, bits, symmetric ? 1 : 0],
          ...[start + places.ratios, ratios.length],
          ...[bytes > 0 ? start + places.packed + block * bytes : 0, all * bytes],
          ...[start + places.scales + 4 * block, 4 * all, start + places.zeros + block, all, start + places.panel],
        );
    },
  };
}

/** Bytes from the start. */
function placesOf({ bits, size, ratios }: BlockShape, values: number, blocks: number) {
  const panel = 0;
  const tried = PANEL * size;
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
