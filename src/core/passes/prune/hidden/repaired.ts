import type { Linear } from '../../../anatomy/anatomy.ts';
import type { Calibration, Moments, Walk } from '../../../calibration/calibration.ts';
import { throwIfCancelled } from '../../../errors.ts';
import type { Edit, PassContext } from '../../pass.ts';
import type { Fit } from '../fit.ts';
import { together } from '../fit-at.ts';
import { vectorOf, weightOf } from '../matrix.ts';
import { ridge } from '../repair/ridge.ts';
import { type Narrowed, type Reading, type Writing, writingOf } from './narrowed.ts';
import { times } from './product.ts';
import type { StreamHalf } from './stream.ts';
import type { Subspace } from './subspace.ts';

// H hidden dimensions before, N after, I inputs of a half's last matrix, X = N + I

export interface Repairing {
  readonly halves: readonly StreamHalf[];
  /** At each norm: one more than halves. */
  readonly spaces: readonly Subspace[];
  /** By the rotation alone; replaced by what is fitted. */
  readonly readings: readonly Reading[];
  readonly damping: number;
  readonly texts: number | undefined;
}

/**
 * Half by half from below, on the narrow states that reach it by then: what readers take the state for is refitted to the wide one, then
 * the matrix around the half and the half's last one together to the wide sum, turned into the next basis.
 */
export async function repairHidden(
  calibration: Calibration<Edit>,
  narrowed: Narrowed,
  { halves, spaces, readings, damping, texts }: Repairing,
  { progress, signal }: Pick<PassContext, 'progress' | 'signal'>,
): Promise<void> {
  const walk = await calibration.walk([narrowed.edit], texts);
  for (const [at, half] of halves.entries()) {
    throwIfCancelled(signal);
    progress?.(at / halves.length, half.writer.id);
    const reading = await refitReading(calibration, walk, 'input', readings[at]!, narrowed, damping);
    await narrowed.read(half, reading);
    const planned = await writingOf(half.writer, reading, spaces[at + 1]!);
    narrowed.write(at, half, await refitWriting(calibration, walk, half.writer, planned, spaces[at + 1]!, narrowed, damping));
    if (at === halves.length - 1)
      narrowed.widen(await refitReading(calibration, walk, 'output', readings[at + 1]!, narrowed, damping));
    else await walk.advance([narrowed.edit]);
  }
}

async function refitReading(
  calibration: Calibration<Edit>,
  walk: Walk<Edit>,
  tap: 'input' | 'output',
  { map_NH, shift_H }: Reading,
  { edit, size }: Narrowed,
  damping: number,
): Promise<Reading> {
  const moments = calibration.moments(size, shift_H.length);
  const rows = together(moments, size);
  await walk.observeBoth([tap], [edit], (original, current) => rows.add(current.get(tap), original.get(tap)));
  await rows.flush();
  const { weight_KO, bias_O } = fitted(moments, map_NH, shift_H, damping);
  return { map_NH: weight_KO, shift_H: bias_O! };
}

async function refitWriting(
  calibration: Calibration<Edit>,
  walk: Walk<Edit>,
  writer: Linear,
  { skip_NN, weight_IN, bias_N }: Writing,
  { centred_HN }: Subspace,
  { edit, size }: Narrowed,
  damping: number,
): Promise<Writing> {
  const inputs = size + writer.in;
  const moments = calibration.moments(inputs, size);
  const sumOf = await sumsOf(walk, writer);
  const wide = centred_HN.length / size;
  const rows = together(moments, inputs);
  const current = ['input', `${writer.id}:in`] as const;
  await walk.observeBoth({ original: ['input', sumOf.tap], current }, [edit], async (before, after) => {
    const sum_TH = await sumOf.sum(before.get('input'), before.get(sumOf.tap));
    const target_TN = await times(sum_TH, centred_HN, wide);
    await rows.add(beside(after.get('input'), size, after.get(current[1]), writer.in), Float32Array.from(target_TN));
  });
  await rows.flush();
  const weight_XN = new Float64Array(inputs * size);
  weight_XN.set(skip_NN);
  weight_XN.set(weight_IN, skip_NN.length);
  const { weight_KO, bias_O } = fitted(moments, weight_XN, bias_N, damping);
  return { skip_NN: weight_KO.slice(0, size * size), weight_IN: weight_KO.slice(size * size), bias_N: bias_O! };
}

/** What enters a half of the original and what its last matrix gives, summed; multiplied out where the graph does not show it. */
async function sumsOf(walk: Walk<Edit>, writer: Linear) {
  if (walk.shows(`${writer.id}:out`)) {
    const sum = async (state: Float32Array, given: Float32Array) => state.map((value, at) => value + given[at]!);
    return { tap: `${writer.id}:out` as const, sum };
  }
  const [weight_IH, bias_H] = [await weightOf(writer), await vectorOf(writer.bias!)];
  const sum = async (state: Float32Array, read: Float32Array) => {
    const given = await times(read, weight_IH, writer.in);
    return state.map((value, at) => value + given[at]! + bias_H[at % bias_H.length]!);
  };
  return { tap: `${writer.id}:in` as const, sum };
}

function fitted(moments: Moments, weight_IO: Float64Array, bias_O: Float64Array, damping: number) {
  const outputs = bias_O.length;
  const inputs = weight_IO.length / outputs;
  const fit: Fit = {
    inputs,
    outputs,
    tokens: moments.count,
    gram_II: moments.covarianceXX(),
    cross_IO: moments.covarianceXY(),
    meanX_I: moments.meanX(),
    meanY_O: moments.meanY(),
    weight_IO,
    bias_O,
    scale: 1,
  };
  const every = Array.from({ length: inputs }, (_, i) => i);
  return ridge(fit, every, damping);
}

/** Rows of two, side by side. */
function beside(a: Float32Array, widthA: number, b: Float32Array, widthB: number): Float32Array {
  const rows = a.length / widthA;
  const found = new Float32Array(a.length + b.length);
  for (let row = 0; row < rows; row++) {
    found.set(a.subarray(row * widthA, (row + 1) * widthA), row * (widthA + widthB));
    found.set(b.subarray(row * widthB, (row + 1) * widthB), row * (widthA + widthB) + widthA);
  }
  return found;
}
