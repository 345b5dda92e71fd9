import { floatsOf } from '../../kernels/floats.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { computedInto, madeFrom } from '../computed.ts';
import { sidesOf } from './eight-bits.ts';
import type { Smoothing } from './smoothing.ts';

/** The weight with each input channel multiplied by its factor, in fp32, as it is read. `turned`: it lies [out, in]. */
export function smoothed(weight: Tensor, { weights }: Smoothing, turned: boolean): Tensor {
  const columns = sidesOf(weight)[1];
  const tensor = computedInto(weight.name, 'fp32', weight.shape, async (into, start, signal) => {
    const factors = await weights(signal);
    const [first, last] = [start >> 2, (start + into.length + 3) >> 2];
    const isAligned = into.byteOffset % 4 === 0 && start % 4 === 0 && into.length % 4 === 0;
    const place = isAligned ? into : new Uint8Array(4 * (last - first));
    const values = await floatsOf(weight, first, last, signal, place);
    const scaled = new Float32Array(place.buffer, place.byteOffset, last - first);
    if (turned) scaleByColumn(values, first % columns, columns, factors, scaled);
    else scaleByRow(values, first, columns, factors, scaled);
    if (!isAligned) into.set(place.subarray(start - 4 * first, start - 4 * first + into.length));
  });
  return madeFrom(weight, tensor);
}

/** into = values * factor of its column; the first value is in column `column`. */
function scaleByColumn(values: Float32Array, column: number, columns: number, factors: Float32Array, into: Float32Array): void {
  for (let i = 0, c = column; i < values.length; i++) {
    into[i] = values[i]! * factors[c]!;
    if (++c === columns) c = 0;
  }
}

/** into = values * factor of its row; `first` is the first value's place in the matrix. */
function scaleByRow(values: Float32Array, first: number, columns: number, factors: Float32Array, into: Float32Array): void {
  for (let i = 0; i < values.length; ) {
    const row = Math.floor((first + i) / columns);
    const factor = factors[row]!;
    for (const end = Math.min(values.length, (row + 1) * columns - first); i < end; i++) into[i] = values[i]! * factor;
  }
}
