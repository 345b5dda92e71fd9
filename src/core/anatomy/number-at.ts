import { dtypes } from '../tensor/dtype.ts';
import { smallFloatTable } from '../tensor/eighths.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** One element of a tensor as a number; undefined for types with fewer than 8 bits and for those that are no numbers. */
export async function numberAt(tensor: Tensor, index: number, signal?: AbortSignal): Promise<number | undefined> {
  const read = readers[tensor.dtype];
  if (!read) return undefined;
  const size = dtypes[tensor.dtype].bits / 8;
  const bytes = await tensor.bytes(index * size, (index + 1) * size, signal);
  return read(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

const eighths = smallFloatTable('fp8_e4m3fn')!;

const readers: Partial<Record<Tensor['dtype'], (view: DataView) => number>> = {
  fp32: view => view.getFloat32(0, true),
  fp64: view => view.getFloat64(0, true),
  fp16: view => half(view.getUint16(0, true)),
  bf16: view => bfloat(view.getUint16(0, true)),
  int8: view => view.getInt8(0),
  uint8: view => view.getUint8(0),
  fp8_e4m3fn: view => eighths[view.getUint8(0)]!,
};

/** IEEE 754 binary16. */
function half(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The upper half of a binary32. */
function bfloat(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint16(2, bits, true);
  return view.getFloat32(0, true);
}
