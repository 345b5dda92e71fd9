import type { Anatomy } from '../anatomy/anatomy.ts';
import { throwIfCancelled } from '../errors.ts';
import { RUN } from '../kernels/floats.ts';
import { BINS, emptyHistogram, type Histogram, openStatistics, type StatisticsMemory } from '../kernels/statistics.ts';
import type { Model } from '../model/model.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import type { TensorStatistics } from './inside.ts';
import { type Moments, momentsOfRun, noMoments, together } from './moments.ts';
import { organOf } from './organ-of.ts';
import { percentilesOf } from './percentiles.ts';
import { matrixOf } from './tensor-matrix.ts';
import type { Summary, TreeNode } from './tree.ts';
import { cutOf, type ValueRun, valueRuns } from './value-runs.ts';

/** Bins of the histogram people see; percentiles are read from finer ones. */
const SHOWN = 128;

/** Elements that are kept between the two passes over a tensor: 16 MiB. Longer tensors are read twice. */
const KEPT = 4 * 1024 * 1024;

/** Tensors worked on in turn: one is read while the other is summed. */
const LANES = 2;

/** Adds statistics to every tensor of the summary's tree. Holds at most LANES times KEPT elements. */
export async function addStatistics(
  summary: Summary,
  model: Model,
  anatomy: Anatomy,
  options: { readonly signal?: AbortSignal; readonly progress?: (done: number, total: number, what: string) => void } = {},
): Promise<Summary> {
  const found = new Map<TreeNode, TensorStatistics>();
  const waiting = leavesOf(summary.tree).values();
  let [done, failed] = [0, false];
  const lane = async (): Promise<void> => {
    const memory = openStatistics(KEPT);
    for (const node of waiting) {
      const tensor = model.tensors.get(node.tensors?.[0] ?? '');
      if (!tensor) continue;
      const values = await statisticsIn(memory, tensor, anatomy, options.signal);
      if (failed) return;
      if (values) found.set(node, values);
      done += tensor.byteLength;
      options.progress?.(Math.min(done, summary.file.byteLength), summary.file.byteLength, node.id);
    }
  };
  const lanes = Array.from({ length: LANES }, () =>
    lane().catch(error => {
      failed = true;
      throw error;
    }),
  );
  await Promise.allSettled(lanes); // the file may be closed once this returns
  await Promise.all(lanes);
  return { ...summary, tree: withFound(summary.tree, found) };
}

const leavesOf = (node: TreeNode): TreeNode[] => node.children?.flatMap(leavesOf) ?? [node];

const withFound = (node: TreeNode, found: ReadonlyMap<TreeNode, TensorStatistics>): TreeNode =>
  node.children ? { ...node, children: node.children.map(child => withFound(child, found)) } : { ...node, ...found.get(node) };

/**
 * Of all values of a tensor; of a quantized matrix as it acts, where that is known.
 * Two passes: the first finds range, mean and spread, the second fills the histogram; the file is read once where the values fit in memory.
 * null for text, complex numbers and empty tensors. throws 'cancelled'
 */
export const statistics = (
  tensor: Tensor,
  anatomy: Anatomy,
  signal?: AbortSignal,
  progress?: (fraction: number) => void,
): Promise<TensorStatistics | null> =>
  statisticsIn(
    openStatistics(Math.min(KEPT, Math.ceil(elementCount(tensor.shape) / RUN) * RUN)),
    tensor,
    anatomy,
    signal,
    progress,
  );

async function statisticsIn(
  memory: StatisticsMemory,
  tensor: Tensor,
  anatomy: Anatomy,
  signal?: AbortSignal,
  progress?: (fraction: number) => void,
): Promise<TensorStatistics | null> {
  const matrix = await matrixOf(tensor, organOf(tensor, anatomy), signal);
  if (!matrix) return null;
  const cut = cutOf(matrix, memory);
  const kept: ValueRun[] = [];
  const finite: number[] = [];
  let all: Moments = noMoments;
  const report = (run: number, pass: number): void => progress?.(((run + 1) / cut.runs + pass) / 2);
  for await (const run of valueRuns(matrix, cut, memory, signal)) {
    const moments = momentsOfRun(run, all.finite > 0 ? all.mean : undefined);
    all = together(all, moments);
    if (cut.runs <= cut.slots) kept.push(run);
    report(finite.push(moments.finite) - 1, 0);
  }
  const histogram = emptyHistogram(all.min, all.max);
  if (all.finite > 0) {
    let filled = 0;
    for await (const run of kept.length > 0 ? kept : valueRuns(matrix, cut, memory, signal)) {
      throwIfCancelled(signal);
      run.addTo(histogram, finite[filled]!);
      report(filled++, 1);
    }
  }
  return described(matrix.acting, matrix.rows * matrix.columns, all, histogram);
}

function described(acting: boolean, count: number, all: Moments, { counts }: Histogram): TensorStatistics {
  const { finite, zeros, mean, std } = all;
  const [min, max] = finite === 0 ? [0, 0] : [all.min, all.max];
  const shown = new Array<number>(finite === 0 ? 0 : SHOWN).fill(0);
  for (let bin = 0; bin < BINS && finite > 0; bin++) shown[Math.floor((bin * SHOWN) / BINS)]! += counts[bin]!;
  return {
    acting,
    count,
    min,
    max,
    mean,
    std,
    zeros,
    nonFinite: count - finite,
    percentiles: finite === 0 ? [] : percentilesOf(counts, min, max),
    histogram: { from: min, to: max, counts: shown },
  };
}
