import { floatsOf } from '../../kernels/floats.ts';
import { kernels } from '../../kernels/kernels.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { computedInto, madeFrom } from '../computed.ts';
import { sidesOf } from './eight-bits.ts';
import type { Smoothing } from './smoothing.ts';

/** The weight with each input channel multiplied by its factor, in fp32, as its rows are read. `turned`: it lies [out, in]. */
export function smoothed(weight: Tensor, { weights }: Smoothing, turned: boolean): Tensor {
  const columns = sidesOf(weight)[1];
  const tensor = computedInto(weight.name, 'fp32', weight.shape, async (into, start, signal) => {
    const factors = await weights(signal);
    const [first, last] = [Math.floor(start / (4 * columns)), Math.ceil((start + into.length) / (4 * columns))];
    const isWhole = into.byteOffset % 4 === 0 && start === 4 * columns * first && into.length === 4 * columns * (last - first);
    const place = isWhole ? into : new Uint8Array(4 * columns * (last - first));
    const values = await floatsOf(weight, first * columns, last * columns, signal, place);
    const scaled_RC = new Float32Array(place.buffer, place.byteOffset, values.length);
    if (values.buffer !== scaled_RC.buffer) scaled_RC.set(values);
    if (turned) kernels.scaleByColumn(scaled_RC, factors);
    else kernels.scaleByRow(scaled_RC, factors.subarray(first, last));
    if (!isWhole) into.set(place.subarray(start - 4 * columns * first, start - 4 * columns * first + into.length));
  });
  return madeFrom(weight, tensor);
}
