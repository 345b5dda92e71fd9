import { floatsOf } from '../kernels/floats.ts';
import type { DType } from '../tensor/dtype.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Elements as numbers: f32 where that is exact, else f64 (fp64; integers of 32 and 64 bits, the latter exact up to 2^53). */
export type Numbers = Float32Array | Float64Array;

type Wide = Float64Array | BigInt64Array | BigUint64Array | Int32Array | Uint32Array;
interface WideClass<T extends Wide> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike): T;
}

const wide: Partial<Record<DType, WideClass<Wide>>> = {
  fp64: Float64Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  int32: Int32Array,
  uint32: Uint32Array,
};

/**
 * Elements [start, end) of a tensor as numbers. The array may share memory with what the tensor handed out, or be a view of
 * `scratch` (4-byte aligned, room for as many f32): read it, do not write it.
 * throws 'unsupported' for text and complex numbers
 */
export async function numbersOf(
  tensor: Tensor,
  start: number,
  end: number,
  signal?: AbortSignal,
  scratch?: Uint8Array,
): Promise<Numbers> {
  if (!wide[tensor.dtype]) return floatsOf(tensor, start, end, signal, scratch);
  const values = await wideOf(tensor, start, end, signal);
  if (values instanceof Float64Array) return values;
  if (values instanceof Int32Array || values instanceof Uint32Array) return new Float64Array(values);
  const into = new Float64Array(values.length);
  for (let i = 0; i < into.length; i++) into[i] = Number(values[i]!);
  return into;
}

/** The same without rounding: integers of 64 bits are bigint. */
export async function exactNumbersOf(
  tensor: Tensor,
  start: number,
  end: number,
  signal?: AbortSignal,
): Promise<Numbers | BigInt64Array | BigUint64Array> {
  if (tensor.dtype !== 'int64' && tensor.dtype !== 'uint64') return numbersOf(tensor, start, end, signal);
  return (await wideOf(tensor, start, end, signal)) as BigInt64Array | BigUint64Array;
}

async function wideOf(tensor: Tensor, start: number, end: number, signal?: AbortSignal): Promise<Wide> {
  const type = wide[tensor.dtype]!;
  const bytes = await tensor.bytes(start * type.BYTES_PER_ELEMENT, end * type.BYTES_PER_ELEMENT, signal);
  return new type(bytes.slice().buffer);
}
