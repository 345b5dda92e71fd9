/** Cosine of the vectors [at, at + width) of both; 0 where one has no length. */
export function cosineAt(a: Float32Array, b: Float32Array, at: number, width: number): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = at; i < at + width; i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! * a[i]!;
    bb += b[i]! * b[i]!;
  }
  return ab / (Math.sqrt(aa * bb) || 1);
}
