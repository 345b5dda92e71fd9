import { HeadroomError } from '../errors.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import type { Packing } from './anatomy.ts';
import { numberAt } from './number-at.ts';

/** A matrix as it is stored: y = x W^T with W [out, in], lying [in, out] when `transposed`, integers when there is a scale. */
export interface Stored {
  readonly weight: Tensor;
  readonly scale?: Tensor;
  readonly zeroPoint?: Tensor;
  readonly out: number;
  readonly in: number;
  readonly transposed: boolean;
  readonly packed?: Packing;
}

/** Bytes up to which tensors are compared whole. */
const whole = 4096;
/** Places compared in larger ones. Trained or random floats that agree in all of them are the same. */
const points = 24;

/**
 * Do two tensors of one shape hold the same numbers? Reads a few places only: opening a model never reads its weights. What cannot be
 * read (data that is missing beside the file) is the same as nothing.
 */
export function sameNumbers(a: Tensor, b: Tensor, signal?: AbortSignal): Promise<boolean> {
  if (a === b) return Promise.resolve(true);
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join() || a.byteLength === 0) return Promise.resolve(false);
  return readable(() => sameBytes(a, b, signal));
}

/**
 * Do two matrices stand for the same numbers, whatever way each lies? Floats must be equal; integers must agree with the other side
 * within the rounding of their scales.
 */
export async function sameMatrix(a: Stored, b: Stored, signal?: AbortSignal): Promise<boolean> {
  if (a.weight === b.weight) return true;
  if (a.out !== b.out || a.in !== b.in || a.out * a.in === 0) return false;
  if (a.transposed === b.transposed && (await sameNumbers(a.weight, b.weight, signal))) return true;
  const exact = !a.scale && !b.scale && a.weight.dtype === b.weight.dtype;
  if (exact && a.transposed === b.transposed) return false;
  return readable(() => samePoints(a, b, exact, signal));
}

async function readable(compare: () => Promise<boolean>): Promise<boolean> {
  try {
    return await compare();
  } catch (error) {
    if (error instanceof HeadroomError && error.code !== 'cancelled') return false;
    throw error;
  }
}

async function sameBytes(a: Tensor, b: Tensor, signal?: AbortSignal): Promise<boolean> {
  const length = a.byteLength <= whole ? a.byteLength : 64;
  const last = a.byteLength - length;
  const starts = new Set([0, Math.floor(last / 3), Math.floor((2 * last) / 3), last]);
  for (const start of starts)
    if (!equal(await a.bytes(start, start + length, signal), await b.bytes(start, start + length, signal))) return false;
  return true;
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, index) => byte === b[index]);

/** Single elements, spread by irrational steps so that rows of zeros (padding tokens) do not decide. */
async function samePoints(a: Stored, b: Stored, exact: boolean, signal?: AbortSignal): Promise<boolean> {
  const seen = new Set<number>();
  for (let point = 1; point <= points; point++) {
    const row = Math.floor((point * 0.6180339887 * a.out) % a.out);
    const column = Math.floor((point * 0.7548776662 * a.in) % a.in);
    const [left, right] = await Promise.all([valueAt(a, row, column, signal), valueAt(b, row, column, signal)]);
    if (!left || !right) return false;
    const allowed = exact ? 0 : 0.51 * (left.step + right.step) + 1e-3 * Math.abs(left.value);
    if (!(Math.abs(left.value - right.value) <= allowed)) return false;
    if (Math.abs(left.value) > allowed) seen.add(left.value);
  }
  return seen.size >= Math.min(4, Math.floor((a.out * a.in) / 2));
}

/** One number of W and the distance to the next that its scale can express (0 for floats); undefined for packings not understood here. */
async function valueAt(stored: Stored, row: number, column: number, signal?: AbortSignal) {
  const { weight, scale, zeroPoint, out, in: width, transposed } = stored;
  if (stored.packed?.method === 'onnxruntime') return blockValueAt(stored, stored.packed, row, column, signal);
  if (elementCount(weight.shape) !== out * width) return undefined;
  const value = await numberAt(weight, transposed ? column * out + row : row * width + column, signal);
  if (value === undefined || !scale) return value === undefined ? undefined : { value, step: 0 };
  const at = (tensor: Tensor) => {
    const count = elementCount(tensor.shape);
    const index = count === out ? row : count === width ? column : count === 1 ? 0 : undefined;
    return index === undefined ? undefined : numberAt(tensor, index, signal);
  };
  const [step, zero] = await Promise.all([at(scale), zeroPoint ? at(zeroPoint) : 0]);
  if (step === undefined || zero === undefined) return undefined;
  const acting = (value - zero) * step;
  // Steps of a float of 8 bits grow with the number: an eighth of its power of two.
  return { value: acting, step: weight.dtype === 'fp8_e4m3fn' ? Math.max(Math.abs(acting) / 8, step * 2 ** -9) : step };
}

/** Scales in blocks are searched: what lies at the ends of a block's range is cut by a step or so more than rounding takes. */
async function blockValueAt(
  { weight, scale, zeroPoint, out, in: width }: Stored,
  { bits, blockSize = 0 }: Packing,
  row: number,
  column: number,
  signal?: AbortSignal,
) {
  const blocks = Math.ceil(width / blockSize);
  const rowBytes = weight.byteLength / out;
  if (!scale || elementCount(scale.shape) !== out * blocks || rowBytes * 8 < width * bits || 8 % bits !== 0) return undefined;
  const block = Math.floor(column / blockSize);
  const levelAt = async (tensor: Tensor, element: number) => {
    const byte = await numberAt(tensor, row * (tensor.byteLength / out) + ((element * bits) >> 3), signal);
    return byte === undefined ? undefined : (byte >> ((element * bits) & 7)) & (2 ** bits - 1);
  };
  const [level, zero, step] = await Promise.all([
    levelAt(weight, column),
    zeroPoint ? levelAt(zeroPoint, block) : 2 ** (bits - 1),
    numberAt(scale, row * blocks + block, signal),
  ]);
  if (level === undefined || zero === undefined || step === undefined) return undefined;
  return { value: (level - zero) * step, step: (bits > 2 ? 4 : 2) * step };
}
