import { HeadroomError } from '../errors.ts';
import { dtypes } from '../tensor/dtype.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';

/** Bytes up to which tensors are compared whole. */
const whole = 4096;
/** Places compared in larger ones. Trained or random floats that agree in all of them are the same. */
const points = 24;

/**
 * Do two tensors hold the same numbers, `flipped` when one is the transpose of the other? Reads a few places only: opening a model
 * never reads its weights. What cannot be read (data that is missing beside the file) is the same as nothing.
 */
export async function sameNumbers(a: Tensor, b: Tensor, flipped: boolean, signal?: AbortSignal): Promise<boolean> {
  if (a === b) return true;
  const shape = flipped ? [...b.shape].reverse() : b.shape;
  if (a.dtype !== b.dtype || a.shape.join() !== shape.join() || elementCount(a.shape) === 0) return false;
  try {
    return await (flipped ? samePoints(a, b, signal) : sameBytes(a, b, signal));
  } catch (error) {
    if (error instanceof HeadroomError && error.code !== 'cancelled') return false;
    throw error;
  }
}

async function sameBytes(a: Tensor, b: Tensor, signal?: AbortSignal): Promise<boolean> {
  const length = Math.min(a.byteLength, 64);
  const last = a.byteLength - length;
  const starts = a.byteLength <= whole ? [] : [0, Math.floor(last / 3), Math.floor((2 * last) / 3), last];
  if (a.byteLength <= whole) return equal(await a.bytes(0, a.byteLength, signal), await b.bytes(0, b.byteLength, signal));
  for (const start of starts)
    if (!equal(await a.bytes(start, start + length, signal), await b.bytes(start, start + length, signal))) return false;
  return true;
}

/** Single elements, spread by a golden-ratio step so that rows of zeros (padding tokens) do not decide. */
async function samePoints(a: Tensor, b: Tensor, signal?: AbortSignal): Promise<boolean> {
  const [rows, columns] = a.shape as [number, number];
  const size = dtypes[a.dtype].bits / 8;
  if (a.shape.length !== 2 || !Number.isInteger(size) || size === 0) return false;
  const seen = new Set<string>();
  for (let point = 0; point < points; point++) {
    const row = Math.floor(((point + 1) * 0.6180339887 * rows) % rows);
    const column = Math.floor(((point + 1) * 0.7548776662 * columns) % columns);
    const [there, here] = [(row * columns + column) * size, (column * rows + row) * size];
    const [left, right] = await Promise.all([a.bytes(there, there + size, signal), b.bytes(here, here + size, signal)]);
    if (!equal(left, right)) return false;
    seen.add(left.join());
  }
  return seen.size > 1 || elementCount(a.shape) === 1;
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, index) => byte === b[index]);
