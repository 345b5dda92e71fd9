import type { ByteSource } from '../../bytes/source.ts';
import { fail } from '../../errors.ts';
import type { DType } from '../../tensor/dtype.ts';
import { type Place, packedByteLength, type Shape, type Tensor } from '../../tensor/tensor.ts';
import { checkRange } from '../stored.ts';
import { decodeTyped, isPlain, typedField } from './typed.ts';
import type { WireTensor } from './wire-types.ts';

/** A tensor of an ONNX file: its bytes are in raw_data, in a typed field, or in another file. */
export class OnnxTensor implements Tensor {
  /** Unique in the model; set while it is assembled. The name in the file is that of `wire`. */
  name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly byteLength: number;
  readonly place?: Place;
  readonly wire: WireTensor;
  /** The ONNX file itself. */
  readonly file: ByteSource;
  /** The file that holds the bytes. */
  readonly #source: ByteSource;
  #decoded: WeakRef<Uint8Array> | undefined;

  constructor(wire: WireTensor, dtype: DType, file: ByteSource, external?: { source: ByteSource; offset: number }) {
    this.name = wire.name;
    this.dtype = dtype;
    this.shape = wire.dims;
    this.byteLength = packedByteLength(dtype, wire.dims);
    this.wire = wire;
    this.file = file;
    this.#source = external?.source ?? file;
    const offset = external ? external.offset : this.#offsetInFile();
    if (offset !== undefined) this.place = { file: this.#source.name, offset };
  }

  get isExternal(): boolean {
    return this.#source !== this.file;
  }

  async bytes(start = 0, end = this.byteLength, signal?: AbortSignal): Promise<Uint8Array> {
    checkRange(this, start, end);
    if (this.place) return this.#source.read(this.place.offset + start, end - start, signal);
    if (this.byteLength === 0) return new Uint8Array(0);
    let decoded = this.#decoded?.deref();
    if (!decoded) {
      if (this.#runs().length === 0)
        throw fail(
          'malformed',
          'The tensor “{name}” has no data.',
          { name: this.name },
          { file: this.file.name, offset: this.wire.start },
        );
      decoded = await decodeTyped(this, this.#runs(), this.file, signal);
      this.#decoded = new WeakRef(decoded);
    }
    return decoded.slice(start, end);
  }

  async bytesInto(into: Uint8Array, start: number, signal?: AbortSignal): Promise<void> {
    checkRange(this, start, start + into.length);
    if (this.place) await this.#source.readInto(into, this.place.offset + start, signal);
    else into.set(await this.bytes(start, start + into.length, signal));
  }

  #runs() {
    const field = typedField(this.dtype);
    return this.wire.typed.filter(run => run.number === field);
  }

  #offsetInFile(): number | undefined {
    const { raw } = this.wire;
    if (raw && raw.end - raw.start === this.byteLength) return raw.start;
    const [only, ...more] = this.#runs();
    const isOneRun = only && more.length === 0 && only.wire === 2 && only.end - only.start === this.byteLength;
    return isOneRun && isPlain(this.dtype) ? only.start : undefined;
  }
}

/** The tensor of a Constant that holds its numbers as attributes (value_float, value_ints, …). */
export class ConstantTensor implements Tensor {
  /** Unique in the model; set while it is assembled. */
  name: string;
  readonly dtype: 'fp32' | 'int64';
  readonly shape: Shape;
  readonly byteLength: number;
  readonly #values: readonly number[];

  constructor(name: string, dtype: 'fp32' | 'int64', shape: Shape, values: readonly number[]) {
    this.name = name;
    this.dtype = dtype;
    this.shape = shape;
    this.byteLength = packedByteLength(dtype, shape);
    this.#values = values;
  }

  async bytes(start = 0, end = this.byteLength): Promise<Uint8Array> {
    checkRange(this, start, end);
    const all =
      this.dtype === 'fp32'
        ? new Float32Array(this.#values)
        : new BigInt64Array(this.#values.map(value => BigInt.asIntN(64, BigInt(value))));
    return new Uint8Array(all.buffer).slice(start, end);
  }
}
