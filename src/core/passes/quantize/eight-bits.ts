import { fail, sentence, throwIfCancelled } from '../../errors.ts';
import { floatsOf, RUN, runsOfRows } from '../../kernels/floats.ts';
import { type Bytes8, kernels } from '../../kernels/kernels.ts';
import { elementCount, type Tensor } from '../../tensor/tensor.ts';
import { computed, deferred, once } from '../computed.ts';
import { asymmetric, symmetric } from './scale.ts';

// R rows, C columns of the weight as it is stored.

/** A matrix in 8 bits. Nothing is read until one of the tensors is; each may be read more than once, in any order. */
export interface EightBits {
  /** int8, or uint8 around zero point 128, in the weight's shape. */
  readonly values: Tensor;
  /** f32, one for each row, each column, or the whole. */
  readonly scale: Tensor;
  /** f32 like `scale`: sum of the weights as they act, along a row or a column. */
  readonly sums: Tensor;
}

export interface Form {
  /** Whose error it is when the weight holds NaN. */
  readonly id: string;
  readonly signed: boolean;
}

/** Matrices of up to 4 Mi elements are read once and held until written; larger ones are read again for each purpose, run by run. */
const HELD = 4 * 1024 * 1024;

/** The weight as rows and columns: leading axes are rows. */
export function sidesOf(weight: Tensor): readonly [rows: number, columns: number] {
  const columns = weight.shape.at(-1) ?? 1;
  return [columns === 0 ? 0 : elementCount(weight.shape) / columns, columns];
}

const bytes8 = (length: number, signed: boolean): Bytes8 => (signed ? new Int8Array(length) : new Uint8Array(length));
const zeroOf = (form: Form): 0 | 128 => (form.signed ? 0 : 128);
const dtypeOf = (form: Form): 'int8' | 'uint8' => (form.signed ? 'int8' : 'uint8');

function scalesOf(id: string, most: Float32Array): Float32Array {
  for (const value of most) if (!Number.isFinite(value)) throw notFinite(id);
  return most.map(value => symmetric(value));
}

const notFinite = (id: string): Error =>
  fail(
    'unsupported',
    '{id} holds NaN or infinity and cannot be quantized.',
    { id },
    { hint: sentence('Leave it out with “exclude”.') },
  );

/** One scale a row. Scales and sums of a row are found whenever the row is read, so that writing values first reads the weight once. */
export function byRows(weight: Tensor, form: Form): EightBits {
  const [rows, columns] = sidesOf(weight);
  const scale_R = new Float32Array(rows);
  const sums_R = new Float32Array(rows);
  const known_R = new Uint8Array(rows);

  async function quantize(first: number, last: number, signal?: AbortSignal): Promise<Bytes8> {
    throwIfCancelled(signal);
    const values_RC = await floatsOf(weight, first * columns, last * columns, signal);
    const most_R = new Float32Array(last - first);
    kernels.absMaxByRow(values_RC, most_R);
    const scales = scalesOf(form.id, most_R);
    const integers_RC = bytes8(values_RC.length, form.signed);
    kernels.quantizeByRow(values_RC, scales, zeroOf(form), integers_RC);
    const counts_R = new Int32Array(last - first);
    kernels.sumByRow(integers_RC, zeroOf(form), counts_R);
    scale_R.set(scales, first);
    sums_R.set(
      Float32Array.from(counts_R, (count, r) => count * scales[r]!),
      first,
    );
    known_R.fill(1, first, last);
    return integers_RC;
  }

  async function complete(signal?: AbortSignal): Promise<void> {
    for (const [first, last] of runsOfRows(rows, columns))
      if (known_R.subarray(first, last).includes(0)) await quantize(first, last, signal);
  }

  return {
    values: computed('values', dtypeOf(form), weight.shape, (start, end, signal) =>
      rowsAsBytes(start, end, columns, (first, last) => quantize(first, last, signal)),
    ),
    scale: deferred('scale', 'fp32', [rows], async signal => complete(signal).then(() => scale_R)),
    sums: deferred('sums', 'fp32', [rows], async signal => complete(signal).then(() => sums_R)),
  };
}

/** One scale a column. */
export function byColumns(weight: Tensor, form: Form): EightBits {
  const [rows, columns] = sidesOf(weight);
  const small = rows * columns <= HELD;
  let kept: Bytes8 | undefined;
  let sums_C: Float32Array | undefined;

  const scales = once(async signal => {
    const most_C = new Float32Array(columns);
    const runs: Float32Array[] = [];
    for (const [first, last] of runsOfRows(rows, columns)) {
      throwIfCancelled(signal);
      const values_RC = await floatsOf(weight, first * columns, last * columns, signal);
      kernels.absMaxByColumn(values_RC, most_C);
      if (small) runs.push(values_RC);
    }
    const scale_C = scalesOf(form.id, most_C);
    if (small) kept = quantizeRuns(runs, scale_C);
    return scale_C;
  });

  function quantizeRuns(runs: readonly Float32Array[], scale_C: Float32Array): Bytes8 {
    const integers_RC = bytes8(rows * columns, form.signed);
    let start = 0;
    for (const values_RC of runs) {
      kernels.quantizeByColumn(values_RC, scale_C, zeroOf(form), integers_RC.subarray(start, start + values_RC.length));
      start += values_RC.length;
    }
    const counts_C = new Int32Array(columns);
    kernels.sumByColumn(integers_RC, zeroOf(form), counts_C);
    sums_C = actingSums(counts_C, scale_C);
    return integers_RC;
  }

  async function quantize(first: number, last: number, signal?: AbortSignal): Promise<Bytes8> {
    throwIfCancelled(signal);
    const scale_C = await scales(signal);
    const values_RC = await floatsOf(weight, first * columns, last * columns, signal);
    const integers_RC = bytes8(values_RC.length, form.signed);
    kernels.quantizeByColumn(values_RC, scale_C, zeroOf(form), integers_RC);
    return integers_RC;
  }

  async function sums(signal?: AbortSignal): Promise<Float32Array> {
    const scale_C = await scales(signal);
    if (sums_C) return sums_C;
    const counts_C = new Int32Array(columns);
    for (const [first, last] of runsOfRows(rows, columns))
      kernels.sumByColumn(await quantize(first, last, signal), zeroOf(form), counts_C);
    sums_C = actingSums(counts_C, scale_C);
    return sums_C;
  }

  async function values(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> {
    await scales(signal);
    if (!kept) return rowsAsBytes(start, end, columns, (first, last) => quantize(first, last, signal));
    const bytes = new Uint8Array(kept.buffer, start, end - start);
    if (end === kept.length) kept = undefined; // written: what is asked again is computed again
    return bytes;
  }

  return {
    values: computed('values', dtypeOf(form), weight.shape, values),
    scale: deferred('scale', 'fp32', [columns], scales),
    sums: deferred('sums', 'fp32', [columns], sums),
  };
}

const actingSums = (counts: Int32Array, scale: Float32Array): Float32Array =>
  Float32Array.from(counts, (count, i) => count * scale[i]!);

/** Bytes [start, end) of a matrix of 8-bit elements that is made by whole rows, in runs of bounded size. */
async function rowsAsBytes(
  start: number,
  end: number,
  columns: number,
  make: (first: number, last: number) => Promise<Bytes8>,
): Promise<Uint8Array> {
  const into = new Uint8Array(end - start);
  const lastRow = Math.ceil(end / columns);
  const step = Math.max(1, Math.floor(RUN / columns));
  for (let first = Math.floor(start / columns); first < lastRow; first += step) {
    const last = Math.min(lastRow, first + step);
    const made = await make(first, last);
    const from = Math.max(start, first * columns);
    const to = Math.min(end, last * columns);
    into.set(new Uint8Array(made.buffer, made.byteOffset + from - first * columns, to - from), from - start);
  }
  return into;
}

export interface WholeBits {
  readonly values: Tensor;
  /** f32, a scalar. */
  readonly scale: Tensor;
  /** Like `values`, a scalar. */
  readonly zeroPoint: Tensor;
}

/** One scale for the whole: int8 around 0, or uint8 with the zero point that fits the range best. As onnxruntime's quantize_data. */
export function byTensor(weight: Tensor, form: Form): WholeBits {
  const [rows, columns] = sidesOf(weight);
  const parameters = once(async signal => {
    const range = new Float32Array([0, 0]);
    for (const [first, last] of runsOfRows(rows, columns)) {
      throwIfCancelled(signal);
      kernels.minMax(await floatsOf(weight, first * columns, last * columns, signal), range);
    }
    const [least, most] = [range[0]!, range[1]!];
    if (!Number.isFinite(least) || !Number.isFinite(most)) throw notFinite(form.id);
    if (form.signed) return { scale: symmetric(Math.max(-least, most)), zeroPoint: 0 };
    return asymmetric(least, most);
  });
  const values = async (start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> => {
    const { scale, zeroPoint } = await parameters(signal);
    const into = new Uint8Array(end - start);
    for (let at = start; at < end; at += RUN) {
      throwIfCancelled(signal);
      const run = await floatsOf(weight, at, Math.min(end, at + RUN), signal);
      const integers = bytes8(run.length, form.signed);
      kernels.quantizeByRow(run, new Float32Array([scale]), zeroPoint, integers);
      into.set(new Uint8Array(integers.buffer), at - start);
    }
    return into;
  };
  return {
    values: computed('values', dtypeOf(form), weight.shape, values),
    scale: deferred('scale', 'fp32', [], async signal => new Float32Array([(await parameters(signal)).scale])),
    zeroPoint: deferred('zeroPoint', dtypeOf(form), [], async signal => new Uint8Array([(await parameters(signal)).zeroPoint])),
  };
}
