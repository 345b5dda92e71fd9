import type { Linear, Table } from '../anatomy/anatomy.ts';
import { throwIfCancelled } from '../errors.ts';
import { floatsOf, RUN } from '../kernels/floats.ts';
import { ERROR_BLOCK, kernels } from '../kernels/kernels.ts';
import { dtypes } from '../tensor/dtype.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import { type Acting, acting } from './acting.ts';
import type { WeightError } from './comparison.ts';
import { gatherBand } from './turned-acting.ts';

// R rows, C columns, of the first model's matrix as it is stored.

/**
 * How far apart two matrices or tables are as they act: integers are multiplied out by their scales first, whatever way each lies.
 * Both are read once, run by run. null when the shapes do not join, when a form is not understood, or when there is nothing to
 * compare with: a matrix of zeros, or one with NaN.
 */
export async function weightError(
  before: Linear | Table,
  after: Linear | Table,
  signal?: AbortSignal,
): Promise<WeightError | null> {
  const [left, right] = [await acting(before, signal), await acting(after, signal)];
  if (!left || !right) return null;
  const turned = left.transposed !== right.transposed;
  const [rows, columns] = turned ? [right.columns, right.rows] : [right.rows, right.columns];
  if (left.rows !== rows || left.columns !== columns) return null;
  return turned ? errorTurned(left, right, signal) : errorAlike(left, right, signal);
}

/** The same for tensors whose numbers stand for themselves: norms, biases, matrices by name. */
export async function tensorError(before: Tensor, after: Tensor, signal?: AbortSignal): Promise<WeightError | null> {
  if (before.shape.join() !== after.shape.join() || !isReal(before) || !isReal(after)) return null;
  const sums = new Float64Array(5);
  const count = elementCount(before.shape);
  for (let start = 0; start < count; start += RUN) {
    throwIfCancelled(signal);
    const end = Math.min(count, start + RUN);
    const [b, a] = await Promise.all([floatsOf(before, start, end, signal), floatsOf(after, start, end, signal)]);
    kernels.errorSums(b, a, sums);
  }
  return errorOf(sums);
}

const isReal = ({ dtype }: Tensor): boolean => !['string', 'complex'].includes(dtypes[dtype].kind);

/** Both lie the same way: run beside run. */
async function errorAlike(before: Acting, after: Acting, signal?: AbortSignal): Promise<WeightError | null> {
  const sums = new Float64Array(5);
  const { rows, columns } = before;
  const step = Math.max(1, Math.floor(RUN / columns));
  for (let first = 0; first < rows; first += step) {
    throwIfCancelled(signal);
    const last = Math.min(rows, first + step);
    kernels.errorSums(await before.rowsOf(first, last, signal), await after.rowsOf(first, last, signal), sums);
  }
  return errorOf(sums);
}

/** A band of rows of the first is a band of columns of the second: at most this many elements are gathered at once. */
const BAND = 4 * RUN;

async function errorTurned(before: Acting, after: Acting, signal?: AbortSignal): Promise<WeightError | null> {
  const sums = new Float64Array(5);
  const { rows, columns } = before;
  const step = Math.max(1, Math.floor(BAND / columns));
  for (let first = 0; first < rows; first += step) {
    const last = Math.min(rows, first + step);
    const band_RC = new Float32Array((last - first) * columns);
    await gatherBand(after, first, last, band_RC, signal);
    const before_RC = await before.rowsOf(first, last, signal);
    for (let at = 0; at < band_RC.length; at += ERROR_BLOCK)
      kernels.errorSums(before_RC.subarray(at, at + ERROR_BLOCK), band_RC.subarray(at, at + ERROR_BLOCK), sums);
  }
  return errorOf(sums);
}

/** Sums of errorSums as the numbers people read. */
function errorOf([d2 = 0, before2 = 0, after2 = 0, product = 0, maxAbs = 0]: Float64Array): WeightError | null {
  if (d2 === 0) return { relative: 0, cosine: 1, maxAbs: 0 };
  const relative = Math.sqrt(d2 / before2);
  if (!Number.isFinite(relative)) return null;
  const cosine = after2 === 0 ? 0 : Math.max(-1, Math.min(1, product / Math.sqrt(before2 * after2)));
  return { relative, cosine, maxAbs };
}
