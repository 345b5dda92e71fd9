import { throwIfCancelled } from '../../errors.ts';
import { floatsOf, RUN } from '../../kernels/floats.ts';
import { kernels } from '../../kernels/kernels.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { computed } from '../computed.ts';

/** The tensor in fp16: to nearest even, finite values beyond 65504 become 65504. Converted as it is read. */
export const asHalf = (tensor: Tensor): Tensor =>
  computed(tensor.name, 'fp16', tensor.shape, async (start, end, signal) => {
    const first = start >> 1;
    const last = (end + 1) >> 1;
    const halves = new Uint16Array(last - first);
    for (let at = first; at < last; at += RUN) {
      throwIfCancelled(signal);
      const values = await floatsOf(tensor, at, Math.min(last, at + RUN), signal);
      kernels.toHalf(values, halves.subarray(at - first, at - first + values.length));
    }
    return new Uint8Array(halves.buffer, start - 2 * first, end - start);
  });
