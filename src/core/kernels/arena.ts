import { type Exports, openInstance, STATIC } from './instance.ts';

/** What the kernels work on when it lies elsewhere is copied through here. */
export const TILES = 4 * 1024 * 1024;

/** Two matrices of 4 Mi elements, their integers and what is read ahead. The system gives pages as they are written. */
const ROOM = 64 * 1024 * 1024;

/** A cache line. */
const ALIGNMENT = 64;

/** Free bytes [start, end) of the memory. */
interface Gap {
  readonly start: number;
  readonly end: number;
}

/** The memory of the kernels, in which buffers can be had: what is read into one is worked on where it lies. */
export interface Arena {
  readonly call: Exports;
  readonly buffer: ArrayBuffer;
  /** At the lowest place that has room, so that few pages are ever touched. undefined: there is none. It holds anything. */
  allocate(byteLength: number): Uint8Array | undefined;
  /** Whether the buffer lies here; it is free from now on. throws RangeError where it was free already */
  free(buffer: Uint8Array): boolean;
}

/** undefined where there are no SIMD kernels. */
export const arena: Arena | undefined = openArena();

function openArena(): Arena | undefined {
  const instance = openInstance(TILES + ROOM);
  return instance && { ...instance, ...rooms(instance.buffer, STATIC + TILES, STATIC + TILES + ROOM) };
}

/** Places between `from` and `to` of the buffer. */
export function rooms(buffer: ArrayBuffer, from: number, to: number): Pick<Arena, 'allocate' | 'free'> {
  let gaps: readonly Gap[] = [{ start: from, end: to }];
  /** Bytes taken, by where they begin. */
  const taken = new Map<number, number>();
  return {
    allocate: byteLength => {
      const length = Math.ceil(Math.max(byteLength, 1) / ALIGNMENT) * ALIGNMENT;
      const gap = gaps.find(({ start, end }) => end - start >= length);
      if (!gap) return undefined;
      const { start, end } = gap;
      gaps = gaps.flatMap(it => (it !== gap ? [it] : start + length < end ? [{ start: start + length, end }] : []));
      taken.set(start, length);
      return new Uint8Array(buffer, start, byteLength);
    },
    free: ({ buffer: its, byteOffset: start }) => {
      if (its !== buffer) return false;
      const length = taken.get(start);
      if (length === undefined) throw new RangeError(`nothing was allocated at ${start}`);
      taken.delete(start);
      gaps = withGap(gaps, start, start + length);
      return true;
    },
  };
}

/** In order; what touches becomes one. */
function withGap(gaps: readonly Gap[], start: number, end: number): readonly Gap[] {
  const before = gaps.filter(gap => gap.end < start);
  const behind = gaps.filter(gap => gap.start > end);
  const touching = gaps.filter(gap => gap.end === start || gap.start === end);
  const [first, last] = [touching[0]?.start ?? start, touching.at(-1)?.end ?? end];
  return [...before, { start: Math.min(first, start), end: Math.max(last, end) }, ...behind];
}
