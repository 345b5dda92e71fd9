import { RUN } from '../kernels/floats.ts';
import { readAhead } from '../kernels/read-ahead.ts';
import { type Histogram, momentsIn, type RunMoments, type StatisticsMemory } from '../kernels/statistics.ts';
import { countInto, momentsOf } from '../kernels/statistics-plain.ts';
import type { Numbers } from './numbers-of.ts';
import type { TensorMatrix } from './tensor-matrix.ts';

/** Some of the values of a tensor, good until the run that takes their place is asked for. */
export interface ValueRun {
  /** A power of two by which values are multiplied before they are centred, summed and squared: 1 but for the ends of f64. */
  readonly unit: number;
  /** In the run's unit. */
  firstFinite(): number | undefined;
  /** The number nearest to `near` that can be a centre of moments. */
  centre(near: number): number;
  /** Sums and centre are in the run's unit. */
  moments(centre: number): RunMoments;
  /** `finite` of its values are. */
  addTo(histogram: Histogram, finite: number): void;
}

/** How a tensor is cut to fit a memory. */
export interface Cut {
  /** Elements of a run, but for the last; whole rows of a quantized matrix, which are multiplied out whole. */
  readonly step: number;
  readonly runs: number;
  /** Runs the memory has room for; 0: a run has no room in it, and is an array of its own. */
  readonly slots: number;
}

export function cutOf({ rows, columns, acting }: TensorMatrix, memory: StatisticsMemory): Cut {
  const step = acting ? Math.max(1, Math.floor(RUN / columns)) * columns : RUN;
  const count = rows * columns;
  return { step, runs: Math.ceil(count / step), slots: Math.floor(memory.floats.length / eights(Math.min(step, count))) };
}

/** Runs that are read while the caller works on one: the system copies them on other threads. */
const AHEAD = 1;

/** All values of a matrix in runs. */
export async function* valueRuns(
  matrix: TensorMatrix,
  { step, runs, slots }: Cut,
  memory: StatisticsMemory,
  signal?: AbortSignal,
): AsyncGenerator<ValueRun> {
  const count = matrix.rows * matrix.columns;
  const slot = eights(Math.min(step, count));
  const read = async (run: number): Promise<ValueRun> => {
    const [start, end] = [run * step, Math.min(count, (run + 1) * step)];
    if (slots === 0) return looseRun(await matrix.read(start, end, signal));
    const place = (run % slots) * slot;
    const room = memory.floats.subarray(place, place + end - start);
    const values = await matrix.read(start, end, signal, new Uint8Array(room.buffer, room.byteOffset, room.byteLength));
    if (values instanceof Float64Array) return looseRun(values);
    if (values.buffer !== room.buffer) room.set(values);
    return placedRun(memory, place, end - start);
  };
  yield* readAhead(runs, Math.min(AHEAD, Math.max(0, slots - 1)), read, signal);
}

function placedRun(memory: StatisticsMemory, place: number, count: number): ValueRun {
  return {
    unit: 1,
    firstFinite: () => memory.floats.subarray(place, place + count).find(Number.isFinite),
    centre: Math.fround,
    moments: centre => momentsIn(memory, place, count, centre),
    addTo: (histogram, finite) => memory.addToHistogram(place, count, finite, histogram),
  };
}

/** Squares of numbers beyond these leave f64: a power of two brings them back and rounds nothing that shows. */
const [LARGE, SMALL, UNIT] = [2 ** 500, 2 ** -400, 2 ** 600];

const unitOf = (largest: number): number => (largest > LARGE ? 1 / UNIT : largest < SMALL && largest > 0 ? UNIT : 1);

const inUnits = (values: Numbers, unit: number): Numbers => (unit === 1 ? values : values.map(value => value * unit));

function looseRun(values: Numbers): ValueRun {
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]!);
    if (size > largest && size < Infinity) largest = size;
  }
  const unit = unitOf(largest);
  return {
    unit,
    firstFinite: () => inUnits(values, unit).find(Number.isFinite),
    centre: near => near,
    moments: centre => {
      const scaled = momentsOf(inUnits(values, unit), centre);
      if (unit === 1) return scaled;
      // Where small values vanish in the unit, they are no zeros.
      const { finite, zeros, min, max } = momentsOf(values, 0);
      return { ...scaled, finite, zeros, min, max };
    },
    addTo: ({ from, to, counts }) => {
      const by = unitOf(Math.max(Math.abs(from), Math.abs(to)));
      countInto(inUnits(values, by), { from: from * by, to: to * by, counts });
    },
  };
}

const eights = (count: number): number => Math.ceil(count / 8) * 8;
