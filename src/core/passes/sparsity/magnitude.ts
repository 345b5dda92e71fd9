import type { Linear } from '../../anatomy/anatomy.ts';
import { throwIfCancelled } from '../../errors.ts';
import { floatsOf, RUN } from '../../kernels/floats.ts';
import { dtypes } from '../../tensor/dtype.ts';
import { elementCount, type Tensor } from '../../tensor/tensor.ts';
import { computed, once } from '../computed.ts';
import { markInGroups } from './lowest.ts';
import { groupOf, type Share } from './share.ts';

/** What is smaller goes; of what is just as large, that which stands before place `until` of all the weights in turn. */
interface Threshold {
  /** Bits of |w| as fp32, which order as the numbers do. */
  readonly bits: number;
  readonly until: number;
}

/** The weights with the smallest ones zeros, found when they are read: a threshold for each, or one for all where `together`. */
export function smallestGone(linears: readonly Linear[], share: Share, together: boolean): Tensor[] {
  const group = groupOf[share.pattern];
  if (group) return linears.map(linear => inGroups(linear, group.size, group.kept));
  const weights = linears.map(({ weight }) => weight);
  const zeros = (count: number) => Math.round(count * share.sparsity);
  if (!together)
    return weights.map(weight => {
      const threshold = once(signal => thresholdOf([weight], zeros(elementCount(weight.shape)), signal));
      return above(weight, threshold, 0);
    });
  const all = weights.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const threshold = once(signal => thresholdOf(weights, zeros(all), signal));
  let first = 0;
  return weights.map(weight => {
    const tensor = above(weight, threshold, first);
    first += elementCount(weight.shape);
    return tensor;
  });
}

/** How many weights of each matrix stay when all are weighed against each other: takes reading them. */
export async function keptOfEach(linears: readonly Linear[], { sparsity }: Share, signal?: AbortSignal): Promise<number[]> {
  const weights = linears.map(({ weight }) => weight);
  const counts = weights.map(({ shape }) => elementCount(shape));
  const all = counts.reduce((sum, count) => sum + count, 0);
  const { bits, until } = await thresholdOf(weights, Math.round(all * sparsity), signal);
  const kept = counts.map(() => 0);
  let [at, end] = [0, counts[0] ?? 0];
  for await (const { sizes, first } of runsOf(weights, signal)) {
    while (first >= end) end += counts[++at]!;
    for (let i = 0; i < sizes.length; i++) {
      const size = sizes[i]! & 0x7fffffff;
      if (size > bits || (size === bits && first + i >= until)) kept[at]!++;
    }
  }
  return kept;
}

/** The tensor with zeros below the threshold. `first`: the place of its first weight among all. */
function above(weight: Tensor, threshold: (signal?: AbortSignal) => Promise<Threshold>, first: number): Tensor {
  return masked(weight, 1, async (values, start, signal) => {
    const { bits, until } = await threshold(signal);
    const marks = new Uint8Array(values.length);
    const sizes = sizesOf(values);
    for (let i = 0; i < sizes.length; i++) {
      const size = sizes[i]! & 0x7fffffff;
      if (size < bits || (size === bits && first + start + i < until)) marks[i] = 1;
    }
    return marks;
  });
}

/** Groups of inputs lie side by side in [out, in], and in rows below each other in [in, out]. */
function inGroups({ weight, transposed, out, in: wide }: Linear, size: number, kept: number): Tensor {
  if (!transposed)
    return masked(weight, wide, async values => {
      const marks = new Uint8Array(values.length);
      for (let at = 0; at < values.length; at += wide)
        markInGroups(values.subarray(at, at + wide).map(Math.abs), marks.subarray(at, at + wide), size, kept);
      return marks;
    });
  return masked(weight, size * out, async values => {
    const marks = new Uint8Array(values.length);
    const [scores, column] = [new Float32Array(size), new Uint8Array(size)];
    for (let at = 0; at + size * out <= values.length; at += size * out)
      for (let o = 0; o < out; o++) {
        for (let i = 0; i < size; i++) scores[i] = Math.abs(values[at + i * out + o]!);
        markInGroups(scores, column.fill(0), size, kept);
        for (let i = 0; i < size; i++) marks[at + i * out + o] = column[i]!;
      }
    return marks;
  });
}

type Mark = (values: Float32Array, start: number, signal?: AbortSignal) => Promise<Uint8Array>;

/** The tensor with zeros where `mark` says 1, asked for whole units of so many weights at a time. The others keep their bytes. */
function masked(weight: Tensor, unit: number, mark: Mark): Tensor {
  const width = dtypes[weight.dtype].bits / 8;
  const count = elementCount(weight.shape);
  const most = Math.max(1, Math.floor(RUN / unit)) * unit;
  return computed(weight.name, weight.dtype, weight.shape, async (start, end, signal) => {
    const into = new Uint8Array(end - start);
    const first = Math.floor(start / width / unit) * unit;
    for (let at = first; at * width < end; at += most) {
      throwIfCancelled(signal);
      const last = Math.min(count, at + most);
      const values = await floatsOf(weight, at, last, signal);
      const bytes = (await weight.bytes(at * width, last * width, signal)).slice();
      const marks = await mark(values, at, signal);
      for (let i = 0; i < marks.length; i++) if (marks[i] === 1) bytes.fill(0, i * width, (i + 1) * width);
      const [from, to] = [Math.max(start, at * width), Math.min(end, last * width)];
      into.set(bytes.subarray(from - at * width, to - at * width), from - start);
    }
    return into;
  });
}

const sizesOf = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer, values.byteOffset, values.length);

/** The `count`-th smallest of all: its upper and lower 16 bits in turn, then how far those that equal it go. */
async function thresholdOf(weights: readonly Tensor[], count: number, signal?: AbortSignal): Promise<Threshold> {
  if (count <= 0) return { bits: 0, until: 0 };
  const high = await histogram(weights, bits => bits >>> 16, signal);
  const [upper, before] = placeOf(high, count);
  const low = await histogram(weights, bits => (bits >>> 16 === upper ? bits & 0xffff : -1), signal);
  const [lower, below] = placeOf(low, count - before);
  const bits = upper * 0x10000 + lower;
  let left = count - before - below;
  let until = 0;
  for await (const { sizes, first } of runsOf(weights, signal))
    for (let i = 0; left > 0 && i < sizes.length; i++)
      if ((sizes[i]! & 0x7fffffff) === bits) {
        left--;
        until = first + i + 1;
      }
  return { bits, until };
}

async function histogram(
  weights: readonly Tensor[],
  binOf: (bits: number) => number,
  signal?: AbortSignal,
): Promise<Float64Array> {
  const counts = new Float64Array(0x10000);
  for await (const { sizes } of runsOf(weights, signal))
    for (let i = 0; i < sizes.length; i++) {
      const bin = binOf(sizes[i]! & 0x7fffffff);
      if (bin >= 0) counts[bin]!++;
    }
  return counts;
}

/** The bin that holds the `count`-th, counted from 1, and how many are in those before. */
function placeOf(counts: Float64Array, count: number): [number, number] {
  let before = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    if (before + counts[bin]! >= count) return [bin, before];
    before += counts[bin]!;
  }
  throw new RangeError(`there are ${before} weights, not ${count}`);
}

/** All weights in turn, as bits of fp32. */
async function* runsOf(weights: readonly Tensor[], signal?: AbortSignal) {
  let first = 0;
  for (const weight of weights) {
    const count = elementCount(weight.shape);
    for (let at = 0; at < count; at += RUN) {
      throwIfCancelled(signal);
      const values = await floatsOf(weight, at, Math.min(count, at + RUN), signal);
      yield { sizes: sizesOf(values), first: first + at };
    }
    first += count;
  }
}
