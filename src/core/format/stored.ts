import type { ByteSource } from '../bytes/source.ts';
import { fail } from '../errors.ts';
import type { Model } from '../model/model.ts';
import type { DType } from '../tensor/dtype.ts';
import { type Place, packedByteLength, type Shape, type Tensor } from '../tensor/tensor.ts';

/** A run [start, end) of a file. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A tensor whose packed bytes lie as one run in a file. */
export class PlacedTensor implements Tensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly byteLength: number;
  readonly place: Place;
  readonly source: ByteSource;

  constructor(name: string, dtype: DType, shape: Shape, source: ByteSource, offset: number) {
    this.name = name;
    this.dtype = dtype;
    this.shape = shape;
    this.byteLength = packedByteLength(dtype, shape);
    this.source = source;
    this.place = { file: source.name, offset };
  }

  async bytes(start = 0, end = this.byteLength, signal?: AbortSignal): Promise<Uint8Array> {
    checkRange(this, start, end);
    return this.source.read(this.place.offset + start, end - start, signal);
  }

  async bytesInto(into: Uint8Array, start: number, signal?: AbortSignal): Promise<void> {
    checkRange(this, start, start + into.length);
    await this.source.readInto(into, this.place.offset + start, signal);
  }
}

/** throws RangeError: a mistake of the caller, not of the file */
export function checkRange(tensor: Tensor, start: number, end: number): void {
  if (start < 0 || end < start || end > tensor.byteLength)
    throw new RangeError(`bytes [${start}, ${end}) of ${tensor.name}, which has ${tensor.byteLength}`);
}

/** What every format keeps in Model.origin, and more of its own. */
export interface Origin {
  /** The files the model was read from, the one that was opened first. */
  readonly sources: readonly ByteSource[];
  /** The model as it was read: what still is the same object was not changed. */
  model?: Model;
}

export const originOf = (model: Model): Origin | undefined => model.origin as Origin | undefined;

/** throws 'source-changed' when a file of the model changed since it was opened. */
export async function verifySources(model: Model): Promise<void> {
  for (const source of originOf(model)?.sources ?? []) await source.verifyUnchanged();
}

/** Closes the files of a model; its tensors cannot be read afterwards. */
export async function closeModel(model: Model): Promise<void> {
  for (const source of originOf(model)?.sources ?? []) await source.close();
}

/** [2, 3]; of a shape that is too long to be one, the beginning. */
export const shownShape = (shape: Shape): string =>
  shape.length <= 12 ? `[${shape.join(', ')}]` : `[${shape.slice(0, 12).join(', ')}, …]`;

/** Elements of a shape, which a number must hold exactly. throws 'limit' */
export function checkShape(name: string, shape: Shape, dtype: DType, source: ByteSource, offset: number): void {
  const detail = { file: source.name, offset };
  for (const size of shape)
    if (!(size >= 0))
      throw fail('malformed', 'The tensor “{name}” has the shape {shape}.', { name, shape: shownShape(shape) }, detail);
  let elements = 1;
  for (const size of shape) elements *= size;
  const isExact = shape.every(Number.isSafeInteger) && elements * 16 <= Number.MAX_SAFE_INTEGER;
  if (!isExact || !Number.isSafeInteger(packedByteLength(dtype, shape)))
    throw fail(
      'limit',
      'The tensor “{name}” has the shape {shape}, more elements than can be counted.',
      { name, shape: shownShape(shape) },
      detail,
    );
}
