import { rowRuns } from '../../kernels/floats.ts';
import { type DType, dtypes } from '../../tensor/dtype.ts';
import { elementCount, type Tensor } from '../../tensor/tensor.ts';
import { computedInto } from '../computed.ts';

/** Writes as many elements as there are values; `into` is aligned, `first` counts elements from the start of the tensor. */
export type Convert = (values: Float32Array, into: Uint8Array, first: number) => void;

/** The tensor in another type of whole bytes, converted run by run as it is read. */
export function elementwise(tensor: Tensor, dtype: DType, convert: Convert): Tensor {
  const width = dtypes[dtype].bits / 8;
  const count = elementCount(tensor.shape);
  return computedInto(tensor.name, dtype, tensor.shape, async (into, start, signal) => {
    const end = start + into.length;
    const [from, to] = [Math.floor(start / width), Math.min(count, Math.ceil(end / width))];
    const isWhole = into.byteOffset % width === 0 && from * width === start && to * width === end;
    const place = isWhole ? into : new Uint8Array((to - from) * width);
    for await (const { first, last, values_RC } of rowRuns(tensor, 1, from, to, signal))
      convert(values_RC, place.subarray((first - from) * width, (last - from) * width), first);
    if (!isWhole) into.set(place.subarray(start - from * width, end - from * width));
  });
}
