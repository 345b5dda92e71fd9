import { type Exports, openInstance, STATIC } from './instance.ts';

/** What the kernels work on when it lies elsewhere is copied through here. */
export const TILES = 4 * 1024 * 1024;

/** Two matrices of 4 Mi elements, their integers and what is read ahead. The system gives pages as they are written. */
const ROOM = 64 * 1024 * 1024;

/** A cache line. */
const ALIGNMENT = 64;

/** Bytes [start, end) of the memory. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** The memory of the kernels, in which buffers can be had: what is read into one is worked on where it lies. */
export interface Arena {
  readonly call: Exports;
  readonly buffer: ArrayBuffer;
  /** At the lowest place that has room, so that few pages are ever touched. undefined: there is none. It holds anything. */
  allocate(byteLength: number): Uint8Array | undefined;
  /** Whether the array lies here; its place is free from now on. throws RangeError where it was free already */
  free(array: Uint8Array): boolean;
}

/** undefined where there are no SIMD kernels. */
export const arena: Arena | undefined = openArena();

function openArena(): Arena | undefined {
  const instance = openInstance(TILES + ROOM);
  return instance && { ...instance, ...rooms(instance.buffer, STATIC + TILES, STATIC + TILES + ROOM) };
}

/** Places between `from` and `to` of the buffer. Those of arrays that nobody holds any more (a plan that was never written) are free again. */
export function rooms(buffer: ArrayBuffer, from: number, to: number): Pick<Arena, 'allocate' | 'free'> {
  let gaps: readonly Span[] = [{ start: from, end: to }];
  /** By where they begin. */
  const taken = new Map<number, Span>();
  const release = (span: Span): void => {
    if (taken.get(span.start) !== span) return;
    taken.delete(span.start);
    gaps = withGap(gaps, span);
  };
  const lost = new FinalizationRegistry(release);
  return {
    allocate: byteLength => {
      const length = Math.ceil(Math.max(byteLength, 1) / ALIGNMENT) * ALIGNMENT;
      const gap = gaps.find(({ start, end }) => end - start >= length);
      if (!gap) return undefined;
      const span = { start: gap.start, end: gap.start + length };
      gaps = gaps.flatMap(it => (it !== gap ? [it] : span.end < it.end ? [{ start: span.end, end: it.end }] : []));
      taken.set(span.start, span);
      const array = new Uint8Array(buffer, span.start, byteLength);
      lost.register(array, span, array);
      return array;
    },
    free: array => {
      if (array.buffer !== buffer) return false;
      const span = taken.get(array.byteOffset);
      if (!span) throw new RangeError(`nothing was allocated at ${array.byteOffset}`);
      lost.unregister(array);
      release(span);
      return true;
    },
  };
}

/** In order; what touches becomes one. */
function withGap(gaps: readonly Span[], { start, end }: Span): readonly Span[] {
  const before = gaps.filter(gap => gap.end < start);
  const behind = gaps.filter(gap => gap.start > end);
  const touching = gaps.filter(gap => gap.end === start || gap.start === end);
  const [first, last] = [touching[0]?.start ?? start, touching.at(-1)?.end ?? end];
  return [...before, { start: Math.min(first, start), end: Math.max(last, end) }, ...behind];
}
