import { rowRuns } from '../../kernels/floats.ts';
import { kernels } from '../../kernels/kernels.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { computed, computedInto, deferred, once } from '../computed.ts';
import { sidesOf } from './eight-bits.ts';
import { elementwise } from './elementwise.ts';
import { notFinite } from './not-finite.ts';

/** The largest number of E4M3 without infinities: 1.75 * 2^8. */
const LARGEST = 448;

export interface Float8 {
  /** fp8_e4m3fn in the weight's shape. */
  readonly values: Tensor;
  /** f32, one for each row, or for each column: max|w| / 448. */
  readonly scale: Tensor;
}

/**
 * A matrix in fp8 E4M3 (no infinities, largest 448), each row or column scaled to the whole range.
 * source: Micikevicius et al., FP8 Formats for Deep Learning, 2022; scales as compressed-tensors 0.20 takes them
 */
export function asFloat8(weight: Tensor, id: string, by: 'rows' | 'columns'): Float8 {
  const [rows, columns] = sidesOf(weight);
  const count = by === 'rows' ? rows : columns;
  const scales = once(async signal => {
    const most = new Float32Array(count);
    for await (const { first, last, values_RC } of rowRuns(weight, columns, 0, rows, signal))
      if (by === 'rows') kernels.absMaxByRow(values_RC, most.subarray(first, last));
      else kernels.absMaxByColumn(values_RC, most);
    for (let i = 0; i < count; i++) {
      if (!Number.isFinite(most[i]!)) throw notFinite(id);
      most[i] = most[i]! / LARGEST || 1;
    }
    return most;
  });
  let scale: Float32Array | undefined;
  const values = elementwise(weight, 'fp8_e4m3fn', (floats, into, first) => {
    for (let i = 0; i < floats.length; i++) {
      const at = first + i;
      into[i] = float8(floats[i]! / scale![by === 'rows' ? Math.floor(at / columns) : at % columns]!);
    }
  });
  const ready = computedInto('values', 'fp8_e4m3fn', weight.shape, async (into, start, signal) => {
    scale = await scales(signal);
    await values.bytesInto!(into, start, signal);
  });
  return { values: ready, scale: deferred('scale', 'fp32', [count], scales) };
}

/** [channels] as [channels, 1]. */
export const asColumn = (scale: Tensor): Tensor =>
  computed(scale.name, scale.dtype, [...scale.shape, 1], (start, end, signal) => scale.bytes(start, end, signal));

const one = new Float32Array(1);
const bits = new Uint32Array(one.buffer);

/** The bits of the E4M3 nearest to a number, half to even; beyond 448 it is 448. */
export function float8(value: number): number {
  one[0] = value;
  const sign = (bits[0]! >>> 24) & 0x80;
  const magnitude = bits[0]! & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7f;
  if (magnitude >= 0x43e00000) return sign | 0x7e; // 448
  if (magnitude >= 0x3c800000) return sign | Math.min(0x7e, (magnitude - 0x3c000000 + 0x7ffff + ((magnitude >>> 20) & 1)) >>> 20);
  // Below 2^-6: steps of 2^-9.
  const steps = Math.abs(one[0]!) * 512;
  return sign | (steps + 2 ** 52 - 2 ** 52);
}
