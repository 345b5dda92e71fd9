import { products } from '../../kernels/linear-algebra/product.ts';

// O out, I in

/** value_OI * second_II for a symmetric second_II [in, in], as a new array. */
export const timesSecond = (
  value_OI: Float32Array,
  out: number,
  wide: number,
  second_II: Float64Array,
  pause: () => Promise<void>,
): Promise<Float32Array> => {
  const rows = (values: Float32Array | Float64Array, count: number) => ({ values, count, vectorStride: wide, elementStride: 1 });
  return products(rows(value_OI, out), rows(second_II, wide), wide, new Float32Array(out * wide), pause);
};

/**
 * The weights that stay, each row moved to where the error (w - aim) H (w - aim)^T is least, by conjugate gradients with the diagonal of
 * H as preconditioner; those that are gone stay 0.
 * weight_OI  [out, in], changed in place: where to start
 * aim_OI     the dense matrix whose outputs are wanted
 * second_II  H, with damping
 */
export async function refitKept(
  weight_OI: Float32Array,
  gone_OI: Uint8Array,
  aim_OI: Float32Array,
  out: number,
  wide: number,
  second_II: Float64Array,
  steps: number,
  pause: () => Promise<void>,
): Promise<void> {
  const inverse = Float64Array.from({ length: wide }, (_, i) => 1 / second_II[i * (wide + 1)]!);
  const apart = new Float32Array(out * wide);
  for (let at = 0; at < apart.length; at++) apart[at] = aim_OI[at]! - weight_OI[at]!;
  const residual = await timesSecond(apart, out, wide, second_II, pause);
  const direction = new Float32Array(out * wide);
  const energy = new Float64Array(out);
  for (let o = 0, at = 0; o < out; o++)
    for (let i = 0; i < wide; i++, at++) {
      if (gone_OI[at] === 1) residual[at] = 0;
      direction[at] = residual[at]! * inverse[i]!;
      energy[o]! += residual[at]! * direction[at]!;
    }
  for (let step = 0; step < steps; step++) {
    const image = await timesSecond(direction, out, wide, second_II, pause);
    for (let o = 0; o < out; o++) stepOfRow(o, wide, { weight_OI, gone_OI, residual, direction, image, inverse, energy });
  }
}

interface Rows {
  readonly weight_OI: Float32Array;
  readonly gone_OI: Uint8Array;
  readonly residual: Float32Array;
  readonly direction: Float32Array;
  readonly image: Float32Array;
  readonly inverse: Float64Array;
  readonly energy: Float64Array;
}

function stepOfRow(o: number, wide: number, { weight_OI, gone_OI, residual, direction, image, inverse, energy }: Rows): void {
  const [from, to] = [o * wide, (o + 1) * wide];
  let curvature = 0;
  for (let at = from; at < to; at++) curvature += direction[at]! * image[at]!;
  if (!(curvature > 0) || !(energy[o]! > 0)) return;
  const length = energy[o]! / curvature;
  let next = 0;
  for (let at = from; at < to; at++) {
    if (gone_OI[at] === 1) continue;
    weight_OI[at]! += length * direction[at]!;
    residual[at]! -= length * image[at]!;
    next += residual[at]! ** 2 * inverse[at - from]!;
  }
  const turn = next / energy[o]!;
  energy[o] = next;
  for (let at = from; at < to; at++)
    if (gone_OI[at] === 0) direction[at] = residual[at]! * inverse[at - from]! + turn * direction[at]!;
}
