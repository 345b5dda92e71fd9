/**
 * Elements of 2, 4 or 6 bits, lowest bits first, as ONNX packs them.
 * bytes  packed elements, of which the first `skip` are passed over
 * into   one pattern per element, unsigned
 */
export function unpack(bytes: Uint8Array, bits: 2 | 4 | 6, skip: number, into: Uint8Array): void {
  const mask = 2 ** bits - 1;
  let at = skip * bits;
  for (let i = 0; i < into.length; i++, at += bits) {
    const byte = at >> 3;
    const word = bytes[byte]! | ((bytes[byte + 1] ?? 0) << 8);
    into[i] = (word >> (at & 7)) & mask;
  }
}

/** Two's complement of `bits` bits. */
export const signed = (pattern: number, bits: 2 | 4): number => (pattern << (32 - bits)) >> (32 - bits);
