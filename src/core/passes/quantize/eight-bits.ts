import { type RowRun, rowRuns } from '../../kernels/floats.ts';
import { type Bytes8, kernels } from '../../kernels/kernels.ts';
import { borrow, giveBack } from '../../kernels/scratch.ts';
import { elementCount, type Tensor } from '../../tensor/tensor.ts';
import { computedInto, deferred, madeFrom, once } from '../computed.ts';
import { notFinite } from './not-finite.ts';
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

const bytes8 = (length: number, { signed }: Form): Bytes8 => (signed ? new Int8Array(length) : new Uint8Array(length));
const view8 = (bytes: Uint8Array, start: number, length: number, { signed }: Form): Bytes8 =>
  signed
    ? new Int8Array(bytes.buffer, bytes.byteOffset + start, length)
    : new Uint8Array(bytes.buffer, bytes.byteOffset + start, length);
const zeroOf = (form: Form): 0 | 128 => (form.signed ? 0 : 128);
const dtypeOf = (form: Form): 'int8' | 'uint8' => (form.signed ? 'int8' : 'uint8');

/** The largest magnitudes become scales, in place. */
function toScales(id: string, most: Float32Array): void {
  for (let i = 0; i < most.length; i++) {
    if (!Number.isFinite(most[i]!)) throw notFinite(id);
    most[i] = symmetric(most[i]!);
  }
}

/** One scale a row. Scales and sums of a row are found whenever the row is read, so that writing values first reads the weight once. */
export function byRows(weight: Tensor, form: Form): EightBits {
  const [rows, columns] = sidesOf(weight);
  const scale_R = new Float32Array(rows);
  const sums_R = new Float32Array(rows);
  const known_R = new Uint8Array(rows);

  function quantize({ first, last, values_RC }: RowRun, into_RC: Bytes8): void {
    const scales = scale_R.subarray(first, last).fill(0);
    kernels.absMaxByRow(values_RC, scales);
    toScales(form.id, scales);
    kernels.quantizeByRow(values_RC, scales, zeroOf(form), into_RC);
    const counts_R = new Int32Array(last - first);
    kernels.sumByRow(into_RC, zeroOf(form), counts_R);
    multiply(counts_R, scales, sums_R.subarray(first, last));
    known_R.fill(1, first, last);
  }

  async function complete(signal?: AbortSignal): Promise<void> {
    const first = known_R.indexOf(0);
    if (first < 0) return;
    for await (const run of rowRuns(weight, columns, first, known_R.lastIndexOf(0) + 1, signal))
      quantize(run, bytes8(run.values_RC.length, form));
  }

  return {
    values: madeFrom(
      weight,
      computedInto('values', dtypeOf(form), weight.shape, (into, start, signal) =>
        quantizeInto(into, weight, columns, form, quantize, start, signal),
      ),
    ),
    scale: deferred('scale', 'fp32', [rows], async signal => complete(signal).then(() => scale_R)),
    sums: deferred('sums', 'fp32', [rows], async signal => complete(signal).then(() => sums_R)),
  };
}

/** One scale a column. */
export function byColumns(weight: Tensor, form: Form): EightBits {
  const [rows, columns] = sidesOf(weight);
  /** The integers, as long as nobody has read them to their end; borrowed, or where they were wanted. */
  let kept: { readonly bytes: Uint8Array; readonly isBorrowed: boolean } | undefined;
  /** Where all of them are wanted, if somebody waits for them when they are made. */
  let wanted: Uint8Array | undefined;
  let sums_C: Float32Array | undefined;

  const scales = once(async signal => {
    const scale_C = new Float32Array(columns);
    const whole = rows * columns <= HELD ? borrow(4 * rows * columns) : undefined;
    try {
      const runs: RowRun[] = [];
      for await (const run of rowRuns(weight, columns, 0, rows, signal, whole)) {
        kernels.absMaxByColumn(run.values_RC, scale_C);
        if (whole) runs.push(run);
      }
      toScales(form.id, scale_C);
      if (whole) {
        kept = { bytes: wanted ?? borrow(rows * columns), isBorrowed: !wanted };
        quantizeAll(runs, scale_C, view8(kept.bytes, 0, rows * columns, form));
      }
      return scale_C;
    } finally {
      if (whole) giveBack(whole);
    }
  });

  function quantizeAll(runs: readonly RowRun[], scale_C: Float32Array, into_RC: Bytes8): void {
    const counts_C = new Int32Array(columns);
    for (const { first, last, values_RC } of runs) {
      const rows_RC = into_RC.subarray(first * columns, last * columns);
      kernels.quantizeByColumn(values_RC, scale_C, zeroOf(form), rows_RC);
      kernels.sumByColumn(rows_RC, zeroOf(form), counts_C);
    }
    sums_C = multiply(counts_C, scale_C, new Float32Array(columns));
  }

  async function sums(signal?: AbortSignal): Promise<Float32Array> {
    const scale_C = await scales(signal);
    if (sums_C) return sums_C;
    const counts_C = new Int32Array(columns);
    for await (const { values_RC } of rowRuns(weight, columns, 0, rows, signal)) {
      const integers_RC = bytes8(values_RC.length, form);
      kernels.quantizeByColumn(values_RC, scale_C, zeroOf(form), integers_RC);
      kernels.sumByColumn(integers_RC, zeroOf(form), counts_C);
    }
    sums_C = multiply(counts_C, scale_C, new Float32Array(columns));
    return sums_C;
  }

  async function values(into: Uint8Array, start: number, signal?: AbortSignal): Promise<void> {
    if (start === 0 && into.length === rows * columns) wanted ??= into;
    const scale_C = await scales(signal).finally(() => {
      if (wanted === into) wanted = undefined;
    });
    const quantize = ({ values_RC }: RowRun, into_RC: Bytes8) =>
      kernels.quantizeByColumn(values_RC, scale_C, zeroOf(form), into_RC);
    if (!kept) return quantizeInto(into, weight, columns, form, quantize, start, signal);
    const { bytes, isBorrowed } = kept;
    if (bytes !== into) into.set(bytes.subarray(start, start + into.length));
    if (start + into.length < rows * columns) return;
    if (isBorrowed) giveBack(bytes); // written: what is asked again is computed again
    kept = undefined;
  }

  return {
    values: madeFrom(weight, computedInto('values', dtypeOf(form), weight.shape, values)),
    scale: deferred('scale', 'fp32', [columns], scales),
    sums: deferred('sums', 'fp32', [columns], sums),
  };
}

/** into = counts * scale: a sum of integers as the sum of what they stand for. */
function multiply(counts: Int32Array, scale: Float32Array, into: Float32Array): Float32Array {
  for (let i = 0; i < counts.length; i++) into[i] = counts[i]! * scale[i]!;
  return into;
}

/** Fills `into` with the bytes from `start` of a matrix that is quantized by whole rows. The rows at both ends are made whole, and cut. */
async function quantizeInto(
  into: Uint8Array,
  weight: Tensor,
  columns: number,
  form: Form,
  quantize: (run: RowRun, into_RC: Bytes8) => void,
  start: number,
  signal?: AbortSignal,
): Promise<void> {
  if (into.length === 0) return;
  const end = start + into.length;
  for await (const run of rowRuns(weight, columns, Math.floor(start / columns), Math.ceil(end / columns), signal)) {
    const [from, to] = [run.first * columns, run.last * columns];
    if (from >= start && to <= end) quantize(run, view8(into, from - start, to - from, form));
    else {
      const whole_RC = bytes8(to - from, form);
      quantize(run, whole_RC);
      const [first, last] = [Math.max(from, start), Math.min(to, end)];
      into.set(new Uint8Array(whole_RC.buffer, first - from, last - first), first - start);
    }
  }
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
    for await (const { values_RC } of rowRuns(weight, columns, 0, rows, signal)) kernels.minMax(values_RC, range);
    const [least, most] = [range[0]!, range[1]!];
    if (!Number.isFinite(least) || !Number.isFinite(most)) throw notFinite(form.id);
    if (form.signed) return { scale: symmetric(Math.max(-least, most)), zeroPoint: 0 };
    return asymmetric(least, most);
  });
  const values = async (into: Uint8Array, start: number, signal?: AbortSignal): Promise<void> => {
    const { scale, zeroPoint } = await parameters(signal);
    const quantize = ({ values_RC }: RowRun, into_RC: Bytes8) =>
      kernels.quantizeByRow(values_RC, new Float32Array([scale]), zeroPoint, into_RC);
    return quantizeInto(into, weight, columns, form, quantize, start, signal);
  };
  return {
    values: madeFrom(weight, computedInto('values', dtypeOf(form), weight.shape, values)),
    scale: deferred('scale', 'fp32', [], async signal => new Float32Array([(await parameters(signal)).scale])),
    zeroPoint: deferred('zeroPoint', dtypeOf(form), [], async signal => new Uint8Array([(await parameters(signal)).zeroPoint])),
  };
}
