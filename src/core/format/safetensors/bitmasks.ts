import { HeadroomError } from '../../errors.ts';
import type { Model } from '../../model/model.ts';
import { type BitmaskParts, baseOf, bitmaskParts, fromBitmask } from '../../tensor/bitmask.ts';
import { dtypes } from '../../tensor/dtype.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { originOf } from '../stored.ts';

/** The model with matrices that are stored as bitmasks as the matrices they stand for. What does not fit together stays what it is. */
export async function withMatrices(model: Model, signal?: AbortSignal): Promise<Model> {
  const found = new Map<string, Tensor>();
  for (const name of model.tensors.keys()) {
    if (!name.endsWith('.bitmask')) continue;
    const base = name.slice(0, -'.bitmask'.length);
    const matrix = model.tensors.has(`${base}.weight`) ? undefined : await matrixOf(model, base, signal);
    if (matrix) found.set(base, matrix);
  }
  if (found.size === 0) return model;
  const tensors = new Map<string, Tensor>();
  for (const [name, tensor] of model.tensors) {
    const base = name.replace(/\.\w+$/, '');
    const matrix = found.get(base);
    if (matrix && bitmaskParts.some(part => name === `${base}.${part}`)) tensors.set(matrix.name, matrix);
    else tensors.set(name, tensor);
  }
  const read = { ...model, tensors };
  const origin = originOf(model);
  if (origin) origin.model = read;
  return read;
}

async function matrixOf({ tensors }: Model, base: string, signal?: AbortSignal): Promise<Tensor | undefined> {
  const [compressed, bitmask, offsets, shape] = bitmaskParts.map(part => tensors.get(`${base}.${part}`));
  if (!compressed || !bitmask || !offsets || !shape) return undefined;
  if (shape.dtype !== 'int64' || shape.byteLength !== 16 || offsets.dtype !== 'int64') return undefined;
  if (bitmask.dtype !== 'uint8' || bitmask.shape.length !== 2 || dtypes[compressed.dtype].bits % 8 !== 0) return undefined;
  const bytes = await readable(shape, signal);
  if (!bytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [rows, columns] = [Number(view.getBigInt64(0, true)), Number(view.getBigInt64(8, true))];
  const fits =
    rows === bitmask.shape[0] && Math.ceil(columns / 8) === bitmask.shape[1] && offsets.byteLength === 8 * rows && columns > 0;
  const parts: BitmaskParts = { compressed, bitmask, row_offsets: offsets, shape };
  return fits ? fromBitmask(`${base}.weight`, parts, rows, columns) : undefined;
}

async function readable(tensor: Tensor, signal?: AbortSignal): Promise<Uint8Array | undefined> {
  try {
    return await tensor.bytes(0, tensor.byteLength, signal);
  } catch (error) {
    if (error instanceof HeadroomError && error.code !== 'cancelled') return undefined;
    throw error;
  }
}

/** What the file holds of a tensor, by name. */
export function storedUnder(name: string, tensor: Tensor): (readonly [string, Tensor])[] {
  const { bitmask } = tensor;
  return bitmask ? bitmaskParts.map(part => [`${baseOf(name)}.${part}`, bitmask[part]] as const) : [[name, tensor]];
}
