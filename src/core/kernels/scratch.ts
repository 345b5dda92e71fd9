/**
 * Buffers that are read into again and again. Measured on a 438 MB model: fresh buffers cost more (page faults, garbage collection)
 * than the reads that fill them.
 */
const free: Uint8Array[] = [];

/** Buffers kept when nobody uses them: two runs that are read in turn, and a whole matrix. */
const MOST_KEPT = 3;

/** A buffer of at least `byteLength` bytes, holding anything. Give it back when nothing reads it or is read into it any more. */
export function borrow(byteLength: number): Uint8Array {
  const at = free.findIndex(buffer => buffer.length >= byteLength && buffer.length <= 4 * byteLength);
  return at >= 0 ? free.splice(at, 1)[0]! : new Uint8Array(Buffer.allocUnsafeSlow(byteLength).buffer);
}

export function giveBack(buffer: Uint8Array): void {
  free.push(buffer);
  if (free.length > MOST_KEPT) free.shift();
}
