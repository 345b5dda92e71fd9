/** The fp32 values of IEEE 754 half-precision bit patterns: 1 sign, 5 exponent, 10 fraction bits. Exact. */
export function floatsOfHalves(bits: Uint16Array, into: Float32Array): void {
  const table = halfTable();
  for (let i = 0; i < bits.length; i++) into[i] = table[bits[i]!]!;
}

/** bf16 is the upper half of an fp32. Exact. */
export function floatsOfBrain(bits: Uint16Array, into: Float32Array): void {
  const words = new Uint32Array(into.buffer, into.byteOffset, into.length);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16;
}

export function floatOfHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

let halves: Float32Array | undefined;
function halfTable(): Float32Array {
  halves ??= Float32Array.from({ length: 65536 }, (_, bits) => floatOfHalf(bits));
  return halves;
}
