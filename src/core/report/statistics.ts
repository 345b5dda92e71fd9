import type { Anatomy } from '../anatomy/anatomy.ts';
import type { Model } from '../model/model.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { TensorStatistics } from './inside.ts';
import type { Numbers } from './numbers-of.ts';
import { organOf } from './organ-of.ts';
import { percentilesOf } from './percentiles.ts';
import { elementRuns, matrixOf, type TensorMatrix } from './tensor-matrix.ts';
import type { Summary, TreeNode } from './tree.ts';

/** Bins of the histogram people see, and the finer ones that percentiles are read from. */
const BINS = 128;
const FINE = 8 * BINS;

/** Adds statistics to every tensor of the summary's tree. Streams: at most a few runs are held. */
export async function addStatistics(
  summary: Summary,
  model: Model,
  anatomy: Anatomy,
  options: { readonly signal?: AbortSignal; readonly progress?: (done: number, total: number, what: string) => void } = {},
): Promise<Summary> {
  let done = 0;
  const visit = async (node: TreeNode): Promise<TreeNode> => {
    if (node.children) {
      const children: TreeNode[] = [];
      for (const child of node.children) children.push(await visit(child));
      return { ...node, children };
    }
    const tensor = node.tensors?.[0] === undefined ? undefined : model.tensors.get(node.tensors[0]);
    if (!tensor) return node;
    const values = await statistics(tensor, anatomy, options.signal);
    done += tensor.byteLength;
    options.progress?.(Math.min(done, summary.file.byteLength), summary.file.byteLength, node.id);
    return values ? { ...node, ...values } : node;
  };
  return { ...summary, tree: await visit(summary.tree) };
}

/**
 * Of all values of a tensor; of a quantized matrix as it acts, where that is known.
 * Two passes: the first finds range, mean and spread (Chan's update run by run, so that big tensors lose no digits), the second
 * fills the histogram. null for text, complex numbers and empty tensors. throws 'cancelled'
 */
export async function statistics(
  tensor: Tensor,
  anatomy: Anatomy,
  signal?: AbortSignal,
  progress?: (fraction: number) => void,
): Promise<TensorStatistics | null> {
  const matrix = await matrixOf(tensor, organOf(tensor, anatomy), signal);
  if (!matrix) return null;
  const { min, max, mean, std, finite, zeros, nonFinite } = await momentsOf(matrix, signal, share => progress?.(share / 2));
  const fine = finite === 0 ? [] : await fineHistogram(matrix, min, max, signal, share => progress?.(0.5 + share / 2));
  const counts = Array.from({ length: finite === 0 ? 0 : BINS }, (_, bin) =>
    fine.slice((bin * FINE) / BINS, ((bin + 1) * FINE) / BINS).reduce((sum, count) => sum + count, 0),
  );
  return {
    acting: matrix.acting,
    count: matrix.rows * matrix.columns,
    min,
    max,
    mean,
    std,
    zeros,
    nonFinite,
    percentiles: percentilesOf(fine, min, max),
    histogram: { from: min, to: max, counts },
  };
}

interface Moments {
  min: number;
  max: number;
  mean: number;
  /** Sum of squared distances from the mean. */
  spread: number;
  finite: number;
  zeros: number;
  nonFinite: number;
}

async function momentsOf(
  matrix: TensorMatrix,
  signal: AbortSignal | undefined,
  progress: (share: number) => void,
): Promise<Moments & { readonly std: number }> {
  const all: Moments = { min: Infinity, max: -Infinity, mean: 0, spread: 0, finite: 0, zeros: 0, nonFinite: 0 };
  const count = matrix.rows * matrix.columns;
  for await (const { start, values } of elementRuns(matrix, 0, count, signal)) {
    addRun(all, values);
    progress((start + values.length) / count);
  }
  if (all.finite === 0) return { ...all, min: 0, max: 0, std: 0 };
  return { ...all, std: Math.sqrt(all.spread / all.finite) };
}

function addRun(all: Moments, values: Numbers): void {
  let [sum, count] = [0, 0];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value === 0) all.zeros++;
    if (value < all.min) all.min = value;
    if (value > all.max) all.max = value;
    sum += value;
    count++;
  }
  all.nonFinite += values.length - count;
  if (count === 0) return;
  const mean = sum / count;
  let spread = 0;
  for (const value of values) if (Number.isFinite(value)) spread += (value - mean) ** 2;
  const delta = mean - all.mean;
  const finite = all.finite + count;
  all.spread += spread + (delta * delta * all.finite * count) / finite;
  all.mean += (delta * count) / finite;
  all.finite = finite;
}

/** Counts of equal bins from `from` to `to`; the last one includes `to`. */
async function fineHistogram(
  matrix: TensorMatrix,
  from: number,
  to: number,
  signal: AbortSignal | undefined,
  progress: (share: number) => void,
): Promise<number[]> {
  const counts = new Array<number>(FINE).fill(0);
  const scale = to > from ? FINE / (to - from) : 0;
  const count = matrix.rows * matrix.columns;
  for await (const { start, values } of elementRuns(matrix, 0, count, signal)) {
    for (const value of values) if (Number.isFinite(value)) counts[Math.min(FINE - 1, Math.floor((value - from) * scale))]!++;
    progress((start + values.length) / count);
  }
  return counts;
}
