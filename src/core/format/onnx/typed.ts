import protobuf from 'protobufjs/minimal.js';
import type { ByteSource } from '../../bytes/source.ts';
import { fail } from '../../errors.ts';
import { type DType, dtypes } from '../../tensor/dtype.ts';
import { packedByteLength, type Shape } from '../../tensor/tensor.ts';
import { shownShape } from '../stored.ts';
import type { TypedRun } from './wire-types.ts';

/** The field of TensorProto that holds the elements of a dtype when raw_data does not. */
export function typedField(dtype: DType): number {
  switch (dtype) {
    case 'fp32':
    case 'complex64':
      return 4;
    case 'string':
      return 6;
    case 'int64':
      return 7;
    case 'fp64':
    case 'complex128':
      return 10;
    case 'uint32':
    case 'uint64':
      return 11;
    default:
      return 5;
  }
}

/** Whether a packed run of the dtype's field is, byte for byte, the packed elements. */
export const isPlain = (dtype: DType): boolean => [4, 10].includes(typedField(dtype));

interface Described {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
}

/**
 * The packed little-endian elements that float_data, int32_data, int64_data, double_data or uint64_data hold.
 * int32_data has an element of 8 bits or more in each number, two of 4 bits, four of 2 bits, one of 6 bits.
 * throws  'malformed' when the count is not that of the shape
 */
export async function decodeTyped(
  tensor: Described,
  runs: readonly TypedRun[],
  source: ByteSource,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const into = new Elements(tensor);
  for (const run of runs) {
    const bytes = await source.read(run.start, run.end - run.start, signal);
    try {
      into.take(protobuf.Reader.create(bytes), run.wire);
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof Error)) throw error;
      throw fail(
        'malformed',
        'The data of the tensor “{name}” cannot be read.',
        { name: tensor.name },
        { file: source.name, offset: run.start, cause: error },
      );
    }
  }
  if (!into.isFull)
    throw fail(
      'malformed',
      'The tensor “{name}” of {dtype} {shape} needs {need} bytes, but has {found}.',
      {
        name: tensor.name,
        dtype: tensor.dtype,
        shape: shownShape(tensor.shape),
        need: into.bytes.length,
        found: into.written,
      },
      { file: source.name, ...(runs[0] ? { offset: runs[0].start } : {}) },
    );
  return into.bytes;
}

class Elements {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  written = 0;
  readonly field: number;
  /** Bytes each number of the field gives; 6-bit elements are collected in `bits`. */
  readonly width: number;
  bits = 0;
  held = 0;

  constructor({ dtype, shape }: Described) {
    this.bytes = new Uint8Array(packedByteLength(dtype, shape));
    this.view = new DataView(this.bytes.buffer);
    this.field = typedField(dtype);
    const { bits } = dtypes[dtype];
    this.width = this.field === 4 ? 4 : this.field === 10 || this.field === 7 ? 8 : bits === 6 ? 0 : Math.ceil(bits / 8);
  }

  /** 6-bit elements may leave bits over. */
  get isFull(): boolean {
    if (this.held > 0 && this.written < this.bytes.length) this.put(this.bits & 255, 1);
    return this.written === this.bytes.length;
  }

  take(reader: protobuf.Reader, wire: number): void {
    while (reader.pos < reader.len) {
      if (wire !== 2) reader.tag();
      if (this.field === 4) this.put(reader.fixed32(), 4);
      else if (this.field === 10) {
        this.put(reader.fixed32(), 4);
        this.put(reader.fixed32(), 4);
      } else this.putInteger(reader);
    }
  }

  putInteger(reader: protobuf.Reader): void {
    const value = reader.int64() as number | { low: number; high: number };
    const low = typeof value === 'number' ? value | 0 : value.low;
    if (this.width === 0) {
      this.bits |= (low & 63) << this.held;
      this.held += 6;
      while (this.held >= 8) {
        this.put(this.bits & 255, 1);
        this.bits >>>= 8;
        this.held -= 8;
      }
      return;
    }
    this.put(low, Math.min(this.width, 4));
    if (this.width === 8) this.put(typeof value === 'number' ? Math.floor(value / 2 ** 32) : value.high, 4);
  }

  put(value: number, width: number): void {
    if (this.written + width > this.bytes.length) throw new RangeError('more elements than the shape has');
    if (width === 1) this.view.setUint8(this.written, value & 255);
    else if (width === 2) this.view.setUint16(this.written, value & 65535, true);
    else this.view.setUint32(this.written, value >>> 0, true);
    this.written += width;
  }
}
