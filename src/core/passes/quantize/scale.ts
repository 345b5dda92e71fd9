// Scales and zero points, with the arithmetic of onnxruntime's compute_scale_zp (1.30): ranges in f32, quotients in f64, the result in f32.

/** The smallest normal f32: below it a scale is taken for 0, and becomes 1. */
const TINY = 2 ** -126;

/** The scale that takes [-most, most] to [-127, 127]. */
export function symmetric(most: number): number {
  const scale = Math.fround(2 * most) / 254;
  return scale < TINY ? 1 : Math.fround(scale);
}

/** The scale and zero point that take [least, most], widened to hold 0, to [0, 255]. */
export function asymmetric(least: number, most: number): { readonly scale: number; readonly zeroPoint: number } {
  const low = Math.min(least, 0);
  const high = Math.max(most, 0);
  const scale = Math.fround(high - low) / 255;
  if (scale < TINY) return { scale: 1, zeroPoint: 0 };
  return { scale: Math.fround(scale), zeroPoint: halfToEven(-low / scale) };
}

/** Of a number that is not negative. */
function halfToEven(x: number): number {
  const up = Math.round(x);
  return up - x === 0.5 && up % 2 !== 0 ? up - 1 : up;
}

/** The same for [-128, 127]. */
export function asymmetricSigned(least: number, most: number): { readonly scale: number; readonly zeroPoint: number } {
  const { scale, zeroPoint } = asymmetric(least, most);
  return { scale, zeroPoint: zeroPoint - 128 };
}
