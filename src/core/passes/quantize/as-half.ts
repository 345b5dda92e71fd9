import { kernels } from '../../kernels/kernels.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { PlanAgain } from '../plan-again.ts';
import { elementwise } from './elementwise.ts';

/** The largest finite fp16. */
export const LARGEST_HALF = 65504;

const halves = (bytes: Uint8Array): Uint16Array => new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);

/** The tensor in fp16: to nearest even, finite values beyond 65504 become 65504. Converted as it is read. */
export const asHalf = (tensor: Tensor): Tensor =>
  elementwise(tensor, 'fp16', (values, into) => void kernels.toHalf(values, halves(into)));

/** The same, but finite values beyond 65504 reject with PlanAgain: they were not looked for. */
export const asHalfOrAgain = (tensor: Tensor): Tensor =>
  elementwise(tensor, 'fp16', (values, into) => {
    if (kernels.toHalf(values, halves(into))) throw new PlanAgain();
  });

/** The largest magnitude; NaN where there is one. */
export function largestIn(values: Float32Array): number {
  const most = new Float32Array(1);
  kernels.absMaxByRow(values, most);
  return most[0]!;
}

/** The tensor in bf16, the upper half of an fp32: to nearest even. NaN stays NaN. */
export const asBfloat = (tensor: Tensor): Tensor =>
  elementwise(tensor, 'bf16', (values, into) => {
    const [bits, upper] = [new Uint32Array(values.buffer, values.byteOffset, values.length), halves(into)];
    for (let i = 0; i < bits.length; i++) {
      const one = bits[i]!;
      const isNone = (one & 0x7fffffff) > 0x7f800000;
      upper[i] = isNone ? (one >>> 16) | 0x40 : (one + 0x7fff + ((one >>> 16) & 1)) >>> 16;
    }
  });
