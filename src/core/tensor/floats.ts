import { fail } from '../errors.ts';
import { type DType, dtypes } from './dtype.ts';
import { smallFloatTable } from './eighths.ts';
import { floatsOfBrain, floatsOfHalves } from './halves.ts';
import { signed, unpack } from './nibbles.ts';
import { elementCount, type Tensor } from './tensor.ts';

/**
 * The elements [start, end) of a tensor as fp32, all by default. fp64 and integers beyond 2^24 are rounded to the nearest.
 * throws  'unsupported' for text and complex numbers
 */
export async function readFloats(
  tensor: Tensor,
  start = 0,
  end: number = elementCount(tensor.shape),
  signal?: AbortSignal,
): Promise<Float32Array> {
  const { bits } = dtypes[tensor.dtype];
  // The fewest elements that fill whole bytes: four of 6 or 2 bits, two of 4 bits.
  const group = bits >= 8 ? 1 : bits === 4 ? 2 : 4;
  const skip = start % group;
  const bytes = await tensor.bytes(((start - skip) * bits) / 8, Math.ceil((end * bits) / 8), signal);
  return floatsOf(tensor.dtype, bytes, end - start, skip);
}

/**
 * `count` packed little-endian elements as fp32, after the first `skip` (less than a byte's worth, for dtypes of less than 8 bits).
 * throws  'unsupported' for text and complex numbers
 */
export function floatsOf(dtype: DType, bytes: Uint8Array, count: number, skip = 0): Float32Array {
  const { bits, kind } = dtypes[dtype];
  if (kind === 'string' || kind === 'complex')
    throw fail('unsupported', 'Elements of the type {dtype} are not real numbers.', { dtype });
  const into = new Float32Array(count);
  if (bits < 8) return smallElements(dtype, bytes, skip, into);
  const table = smallFloatTable(dtype);
  if (table) for (let i = 0; i < count; i++) into[i] = table[bytes[i]!]!;
  else if (dtype === 'fp16') floatsOfHalves(aligned(Uint16Array, bytes), into);
  else if (dtype === 'bf16') floatsOfBrain(aligned(Uint16Array, bytes), into);
  else wholeElements(dtype, bytes, into);
  return into;
}

function smallElements(dtype: DType, bytes: Uint8Array, skip: number, into: Float32Array): Float32Array {
  const { bits, kind } = dtypes[dtype] as { bits: 2 | 4 | 6; kind: string };
  const patterns = new Uint8Array(into.length);
  unpack(bytes, bits, skip, patterns);
  const table = smallFloatTable(dtype);
  for (let i = 0; i < into.length; i++) {
    const pattern = patterns[i]!;
    into[i] = table ? table[pattern]! : kind === 'int' ? signed(pattern, bits as 2 | 4) : pattern;
  }
  return into;
}

function wholeElements(dtype: DType, bytes: Uint8Array, into: Float32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (dtype) {
    case 'fp32':
      into.set(aligned(Float32Array, bytes));
      break;
    case 'fp64':
      for (let i = 0; i < into.length; i++) into[i] = view.getFloat64(i * 8, true);
      break;
    case 'int64':
      for (let i = 0; i < into.length; i++) into[i] = Number(view.getBigInt64(i * 8, true));
      break;
    case 'uint64':
      for (let i = 0; i < into.length; i++) into[i] = Number(view.getBigUint64(i * 8, true));
      break;
    case 'int32':
      into.set(aligned(Int32Array, bytes));
      break;
    case 'uint32':
      into.set(aligned(Uint32Array, bytes));
      break;
    case 'int16':
      into.set(aligned(Int16Array, bytes));
      break;
    case 'uint16':
      into.set(aligned(Uint16Array, bytes));
      break;
    case 'int8':
      into.set(new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      break;
    default:
      into.set(bytes);
  }
}

type Elements = Float32Array | Uint16Array | Int16Array | Int32Array | Uint32Array;
interface ElementsClass<T extends Elements> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, offset: number, length: number): T;
}

/** The bytes as elements, copied only where they are not aligned. All systems that run Node and VS Code are little-endian. */
function aligned<T extends Elements>(type: ElementsClass<T>, bytes: Uint8Array): T {
  const size = type.BYTES_PER_ELEMENT;
  const whole = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return new type(whole.buffer, whole.byteOffset, whole.byteLength / size);
}
