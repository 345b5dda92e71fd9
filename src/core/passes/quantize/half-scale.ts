const { fround, min } = Math;

/** The fp16 nearest to a number that is not negative, as a number; 65504 beyond. */
export function halfScale(value: number): number {
  if (value >= 65504) return min(value, 65504);
  // Below 2^-14 halves lie 2^-24 apart, as f32 does from a half on; above, 13 of the 24 digits of an f32 go.
  if (value < 2 ** -14) return fround(value + 0.5) - 0.5;
  const shifted = fround(value * (2 ** 13 + 1));
  return fround(shifted - fround(shifted - fround(value)));
}
