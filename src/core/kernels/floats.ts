import type { DType } from '../tensor/dtype.ts';
import { readFloats } from '../tensor/floats.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { kernels } from './kernels.ts';
import { readAhead } from './read-ahead.ts';
import { borrow, giveBack } from './scratch.ts';

/** The floating-point types that have a kernel, and the bytes of one element. */
const widths: Partial<Record<DType, number>> = { fp32: 4, fp16: 2, bf16: 2 };
/** What a kernel widens to f32, and the bytes of one element. */
const narrow: Partial<Record<DType, number>> = { fp16: 2, bf16: 2, int8: 1, uint8: 1, int4: 0.5, uint4: 0.5 };

/** Weights in these types can be quantized. */
export const isFloat = (dtype: DType): boolean => dtype in widths || dtype === 'fp64';

/**
 * Elements [start, end) of a tensor as f32: fp64 and long integers are rounded, the rest is exact.
 * The array may share memory with what the tensor handed out: read it, do not write it.
 * With `scratch` (4-byte aligned, room for the elements) it may be a view of that instead.
 * throws 'unsupported' for text and complex numbers
 */
export async function floatsOf(
  tensor: Tensor,
  start: number,
  end: number,
  signal?: AbortSignal,
  scratch?: Uint8Array,
): Promise<Float32Array> {
  const count = end - start;
  const into = scratch && new Float32Array(scratch.buffer, scratch.byteOffset, count);
  if (tensor.dtype === 'fp32' && into && tensor.bytesInto) {
    await tensor.bytesInto(scratch.subarray(0, 4 * count), 4 * start, signal);
    return into;
  }
  const width = narrow[tensor.dtype];
  if (width && Number.isInteger(start * width))
    return widened(tensor.dtype, await narrowBytes(tensor, width, start, end, signal, scratch), into, count);
  if (tensor.dtype !== 'fp32') return readFloats(tensor, start, end, signal);
  const bytes = aligned(await tensor.bytes(4 * start, 4 * end, signal), 4);
  return new Float32Array(bytes.buffer, bytes.byteOffset, count);
}

/** At the end of the scratch, if there is one: widening from its start on never overtakes what is still to be read. */
async function narrowBytes(
  tensor: Tensor,
  width: number,
  start: number,
  end: number,
  signal?: AbortSignal,
  scratch?: Uint8Array,
): Promise<Uint8Array> {
  const byteLength = Math.ceil((end - start) * width);
  if (!scratch || !tensor.bytesInto)
    return aligned(await tensor.bytes(start * width, start * width + byteLength, signal), Math.ceil(width));
  const into = scratch.subarray(4 * (end - start) - byteLength, 4 * (end - start));
  await tensor.bytesInto(into, start * width, signal);
  return into;
}

const ONE = Float32Array.of(1);
const ZERO = Float32Array.of(0);

function widened(dtype: DType, bytes: Uint8Array, scratch: Float32Array | undefined, count: number): Float32Array {
  const into = scratch ?? new Float32Array(count);
  if (dtype === 'uint8') kernels.dequantizeByRow(bytes, ONE, ZERO, into);
  else if (dtype === 'int8')
    kernels.dequantizeByRow(new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length), ONE, ZERO, into);
  else if (dtype === 'int4' || dtype === 'uint4') kernels.fromNibbles(bytes, dtype === 'int4', into);
  else {
    const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, count);
    if (dtype === 'fp16') kernels.fromHalf(halves, into);
    else kernels.fromBfloat(halves, into);
  }
  return into;
}

/** A typed array needs a start that is a multiple of its width; a file's bytes may lie anywhere. */
const aligned = (bytes: Uint8Array, width: number): Uint8Array => (bytes.byteOffset % width === 0 ? bytes : bytes.slice());

/** Elements worked on at once: 1 MiB of f32, which leaves a matrix of 768 x 768 several runs. A multiple of ERROR_BLOCK. */
export const RUN = 256 * 1024;

/** A run of whole rows [first, last) of a matrix. */
export interface RowRun {
  readonly first: number;
  readonly last: number;
  readonly values_RC: Float32Array;
}

/** Runs that are read while the caller works on one: the system copies them on other threads. */
const AHEAD = 2;

/**
 * The rows [start, end) of a matrix in runs of about RUN elements, at least one row each. The next ones are read while the caller works on this one.
 * The values of a run are good until the next one is asked for; with `whole`, room for all elements of the rows, they stay good as long as that is.
 * All runs but the last have a multiple of `multiple` rows.
 */
export async function* rowRuns(
  tensor: Tensor,
  columns: number,
  start: number,
  end: number,
  signal?: AbortSignal,
  whole?: Uint8Array,
  multiple = 1,
): AsyncGenerator<RowRun> {
  const step = multiple * Math.max(1, Math.floor(RUN / Math.max(columns, 1) / multiple));
  const rowBytes = 4 * columns;
  const runs = Math.ceil((end - start) / step);
  const turns = Array.from({ length: whole ? 0 : Math.min(runs, AHEAD + 1) }, () => borrow(step * rowBytes));
  const read = async (run: number): Promise<RowRun> => {
    const first = start + run * step;
    const last = Math.min(end, first + step);
    const scratch = whole?.subarray((first - start) * rowBytes) ?? turns[run % turns.length]!;
    return { first, last, values_RC: await floatsOf(tensor, first * columns, last * columns, signal, scratch) };
  };
  try {
    yield* readAhead(runs, AHEAD, read, signal);
  } finally {
    turns.forEach(giveBack);
  }
}
