import type { Linear, Table } from '../anatomy/anatomy.ts';
import { throwIfCancelled } from '../errors.ts';
import { RUN } from '../kernels/floats.ts';
import { borrow, giveBack } from '../kernels/scratch.ts';
import { dtypes } from '../tensor/dtype.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import { acting } from './acting.ts';
import { type Numbers, numbersOf } from './numbers-of.ts';

/** A tensor seen as rows x last axis, as it is stored; a vector is one row, a scalar one value. */
export interface TensorMatrix {
  readonly rows: number;
  readonly columns: number;
  /** Stored [in, out]: as it acts, its columns are the rows. */
  readonly transposed: boolean;
  /** Whether the numbers are those of a quantized matrix multiplied out. */
  readonly acting: boolean;
  /** Elements [start, end) in the order in which they are stored, perhaps in `scratch`. To be read, not written. */
  read(start: number, end: number, signal?: AbortSignal, scratch?: Uint8Array): Promise<Numbers>;
}

/** Quantized rows are multiplied out whole; longer ones than this (64 MiB of f32) are not. */
const LONGEST_ACTING_ROW = 2 ** 24;

/**
 * A tensor, which may be the weight of an organ. undefined for text, complex numbers and tensors without elements.
 * Quantized matrices give the numbers they stand for where scale and zero point say them, else their integers.
 */
export async function matrixOf(
  tensor: Tensor,
  organ: Linear | Table | undefined,
  signal?: AbortSignal,
): Promise<TensorMatrix | undefined> {
  const count = elementCount(tensor.shape);
  if (count === 0 || ['string', 'complex'].includes(dtypes[tensor.dtype].kind)) return undefined;
  const columns = tensor.shape.at(-1) ?? 1;
  const shape = { rows: count / columns, columns };
  const transposed = organ !== undefined && 'out' in organ && organ.transposed;
  const acts = organ?.form === 'quantized' && columns <= LONGEST_ACTING_ROW ? await acting(organ, signal) : undefined;
  if (!acts)
    return { ...shape, transposed, acting: false, read: (start, end, by, scratch) => numbersOf(tensor, start, end, by, scratch) };
  // Packed levels have other sides than what they stand for.
  const { rows, columns: across } = acts;
  const read = async (start: number, end: number, by?: AbortSignal): Promise<Numbers> => {
    const first = Math.floor(start / across);
    const values = await acts.rowsOf(first, Math.ceil(end / across), by);
    return values.subarray(start - first * across, end - first * across);
  };
  return { rows, columns: across, transposed, acting: true, read };
}

/** A run [start, end) of elements: whole rows, or a piece of one where a row is longer than RUN. */
export interface ElementRun {
  readonly start: number;
  readonly values: Numbers;
}

/**
 * The elements [start, end) in runs of at most RUN elements where the matrix allows it. The next run is read while the caller works on this one.
 * The values of a run are good until the next one is asked for.
 */
export async function* elementRuns(
  matrix: TensorMatrix,
  start: number,
  end: number,
  signal?: AbortSignal,
): AsyncGenerator<ElementRun> {
  const { columns } = matrix;
  const step = columns <= RUN ? Math.floor(RUN / columns) * columns : matrix.acting ? columns : RUN;
  const most = 4 * Math.min(step, end - start);
  const turns = matrix.acting ? [] : [borrow(most), borrow(most)];
  const read = async (at: number): Promise<ElementRun> => {
    throwIfCancelled(signal);
    return { start: at, values: await matrix.read(at, Math.min(end, at + step), signal, turns[((at - start) / step) % 2]) };
  };
  let next = start < end ? read(start) : undefined;
  try {
    while (next) {
      const run: ElementRun = await next;
      const after = run.start + run.values.length;
      next = after < end ? read(after) : undefined;
      next?.catch(() => undefined); // reported when it is awaited
      yield run;
    }
  } finally {
    await next?.catch(() => undefined); // nothing may still be read into a buffer that is given back
    turns.forEach(giveBack);
  }
}
