import { arena } from './arena.ts';

/**
 * Buffers that are read into again and again, in the memory of the kernels as long as that has room. Measured on a 438 MB model:
 * fresh buffers cost more (page faults, garbage collection) than the reads that fill them.
 */
const free: Uint8Array[] = [];

/** Of those elsewhere, kept when nobody uses them. */
const MOST_KEPT = 16;
const MOST_KEPT_BYTES = 32 * 1024 * 1024;

/** A buffer of `byteLength` bytes or more, holding anything. Give it back when nothing reads it or is read into it any more. */
export function borrow(byteLength: number): Uint8Array {
  const own = arena?.allocate(byteLength);
  if (own) return own;
  const fitting = free.filter(buffer => buffer.length >= byteLength && buffer.length <= 4 * byteLength);
  const best = fitting.sort((a, b) => a.length - b.length)[0];
  if (!best) return new Uint8Array(Buffer.allocUnsafeSlow(byteLength).buffer);
  free.splice(free.indexOf(best), 1);
  return best;
}

/** The very array that was borrowed; what is left of it must not be used. */
export function giveBack(buffer: Uint8Array): void {
  if (arena?.free(buffer)) return;
  free.push(buffer);
  while (free.length > MOST_KEPT || free.reduce((sum, it) => sum + it.length, 0) > MOST_KEPT_BYTES) free.shift();
}
