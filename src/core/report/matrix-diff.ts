import type { Anatomy, Linear, Table } from '../anatomy/anatomy.ts';
import { throwIfCancelled } from '../errors.ts';
import { RUN } from '../kernels/floats.ts';
import { type Acting, acting } from './acting.ts';
import { heatMapOf } from './heat-map.ts';
import type { MatrixDiff, MatrixDiffRequest } from './inside.ts';
import { headsOf } from './organ-of.ts';
import type { TensorMatrix } from './tensor-matrix.ts';
import { turnedActing } from './turned-acting.ts';

interface Sided {
  readonly organ: Linear | Table;
  readonly anatomy: Anatomy;
}

const BINS = 96;
/** An 8-bit matrix has 256 levels. */
const MOST_LEVELS = 256;

/** Streams both matrices; only cells and sums of channels are held. null for forms that are not understood. */
export async function matrixDiff(
  before: Sided,
  after: Sided,
  request: MatrixDiffRequest,
  signal?: AbortSignal,
): Promise<MatrixDiff | null> {
  const [left, found] = [await acting(before.organ, signal), await acting(after.organ, signal)];
  if (!left || !found) return null;
  const right = left.transposed === found.transposed ? found : turnedActing(found);
  const alike = left.rows === right.rows && left.columns === right.columns;
  const map = (matrix: TensorMatrix, { organ, anatomy }: Sided) => heatMapOf(matrix, headsOf(organ, anatomy), request, signal);
  const sums = await channelSums(left, alike ? right : undefined, signal);
  const worst = worstOf(sums);
  const channels = right.transposed ? right.columns : right.rows;
  const channel = Math.max(0, Math.min(channels - 1, request.channel ?? worst?.channel ?? 0));
  return {
    before: await map(matrixOfActing(left), before),
    after: await map(matrixOfActing(right), after),
    difference: alike ? await map(differenceOf(left, right), after) : null,
    histogram: await histogramOf(left, sums, signal),
    worst,
    channels,
    channel,
    levels: levelsOf(await channelValues(right, channel, signal)),
  };
}

const matrixOfActing = ({ rows, columns, transposed, rowsOf }: Acting): TensorMatrix => ({
  ...{ rows, columns, transposed, acting: true },
  read: async (start, end, signal) => {
    const first = Math.floor(start / columns);
    const values = await rowsOf(first, Math.ceil(end / columns), signal);
    return values.subarray(start - first * columns, end - first * columns);
  },
});

function differenceOf(left: Acting, right: Acting): TensorMatrix {
  const [a, b] = [matrixOfActing(left), matrixOfActing(right)];
  return {
    ...a,
    read: async (start, end, signal) => {
      const before = await a.read(start, end, signal);
      const after = await b.read(start, end, signal);
      return Float32Array.from(after, (value, i) => value - before[i]!);
    },
  };
}

interface ChannelSums {
  /** Sums of squares, by output channel: of the difference and of before. */
  readonly apart: Float64Array;
  readonly size: Float64Array;
  /** Finite values before. */
  readonly from: number;
  readonly to: number;
}

/** Runs of whole rows, as stored. */
async function* runsOf(matrix: Acting, signal?: AbortSignal): AsyncGenerator<{ first: number; values: Float32Array }> {
  const step = Math.max(1, Math.floor(RUN / matrix.columns));
  for (let first = 0; first < matrix.rows; first += step) {
    throwIfCancelled(signal);
    yield { first, values: await matrix.rowsOf(first, Math.min(matrix.rows, first + step), signal) };
  }
}

async function channelSums(left: Acting, right: Acting | undefined, signal?: AbortSignal): Promise<ChannelSums> {
  const { columns, transposed } = left;
  const channels = transposed ? columns : left.rows;
  const [apart, size] = [new Float64Array(channels), new Float64Array(channels)];
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for await (const { first, values } of runsOf(left, signal)) {
    const others = await right?.rowsOf(first, first + values.length / columns, signal);
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value - value !== 0) continue; // NaN, infinite
      const channel = transposed ? i % columns : first + Math.floor(i / columns);
      if (value < from) from = value;
      if (value > to) to = value;
      size[channel]! += value * value;
      if (others) apart[channel]! += (others[i]! - value) ** 2;
    }
  }
  return { apart, size, ...(from <= to ? { from, to } : { from: 0, to: 0 }) };
}

function worstOf({ apart, size }: ChannelSums): MatrixDiff['worst'] {
  let worst: { channel: number; relative: number } | null = null;
  for (let channel = 0; channel < size.length; channel++) {
    const relative = Math.sqrt(apart[channel]! / size[channel]!);
    if (Number.isFinite(relative) && relative > (worst?.relative ?? 0)) worst = { channel, relative };
  }
  return worst;
}

async function histogramOf(matrix: Acting, { from, to }: ChannelSums, signal?: AbortSignal): Promise<MatrixDiff['histogram']> {
  const counts = new Array<number>(BINS).fill(0);
  const scale = to > from ? BINS / (to - from) : 0;
  for await (const { values } of runsOf(matrix, signal))
    for (const value of values) if (value - value === 0) counts[Math.min(BINS - 1, Math.floor((value - from) * scale))]!++;
  return { from, to, counts };
}

async function channelValues(matrix: Acting, channel: number, signal?: AbortSignal): Promise<Float32Array> {
  if (!matrix.transposed) return matrix.rowsOf(channel, channel + 1, signal);
  const found = new Float32Array(matrix.rows);
  for await (const { first, values } of runsOf(matrix, signal))
    for (let row = 0; row * matrix.columns < values.length; row++) found[first + row] = values[row * matrix.columns + channel]!;
  return found;
}

function levelsOf(values: Float32Array): MatrixDiff['levels'] {
  const counts = new Map<number, number>();
  for (const value of values) if (Number.isFinite(value)) counts.set(value, (counts.get(value) ?? 0) + 1);
  // As many values as weights are no levels.
  if (counts.size > MOST_LEVELS || (counts.size > 16 && counts.size === values.length)) return null;
  return [...counts].sort((a, b) => a[0] - b[0]).map(([value, count]) => ({ value, count }));
}
