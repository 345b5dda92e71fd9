/**
 * c = a b in fp32, row-major [m, n], summed over `depth`. a is [m, depth] and b [depth, n]; as `turned` says, a is given as [depth, m] or
 * b as [n, depth]. Large products belong to a library that knows the processor: sums are in its order, so that the last bits
 * differ from one processor to another.
 */
export type Product32 = (
  a: Float32Array,
  b: Float32Array,
  m: number,
  n: number,
  depth: number,
  turned?: 'a' | 'b',
) => Promise<Float32Array>;
