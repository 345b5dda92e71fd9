import { throwIfCancelled } from '../errors.ts';
import type { Model } from '../model/model.ts';
import { dtypes } from '../tensor/dtype.ts';
import { readFloats } from '../tensor/floats.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import type { Summary, TreeNode } from './tree.ts';

/** Of all values of one tensor; non-finite ones count in `nonFinite` only. Standard deviation is of the population. */
export interface Statistics {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly std: number;
  readonly zeros: number;
  readonly nonFinite: number;
  /** Equal bins from `from` to `to`; the last one includes `to`. */
  readonly histogram: { readonly from: number; readonly to: number; readonly counts: readonly number[] };
}

const bins = 64;
/** Elements read at a time: 4 MiB of fp32. */
const chunk = 2 ** 20;

/** Adds statistics to every tensor of the summary's tree. Streams: at most one chunk is held. */
export async function addStatistics(
  summary: Summary,
  model: Model,
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
    const values = await statistics(tensor, options.signal);
    done += tensor.byteLength;
    options.progress?.(Math.min(done, summary.file.byteLength), summary.file.byteLength, node.id);
    return values ? { ...node, ...values } : node;
  };
  return { ...summary, tree: await visit(summary.tree) };
}

/** Two passes: the first finds range, mean and spread (Chan's update by chunk, so that big tensors lose no digits), the second fills the histogram. undefined for strings and empty tensors. */
export async function statistics(tensor: Tensor, signal?: AbortSignal): Promise<Statistics | undefined> {
  const elements = elementCount(tensor.shape);
  if (elements === 0 || ['string', 'complex'].includes(dtypes[tensor.dtype].kind)) return undefined;
  let [min, max, mean, m2, count, zeros, nonFinite] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0, 0, 0, 0];
  for await (const values of chunks(tensor, elements, signal)) {
    let [sum, n] = [0, 0];
    for (const value of values) {
      if (!Number.isFinite(value)) {
        nonFinite++;
        continue;
      }
      if (value === 0) zeros++;
      if (value < min) min = value;
      if (value > max) max = value;
      sum += value;
      n++;
    }
    if (n === 0) continue;
    const chunkMean = sum / n;
    let spread = 0;
    for (const value of values) if (Number.isFinite(value)) spread += (value - chunkMean) ** 2;
    const delta = chunkMean - mean;
    m2 += spread + (delta * delta * count * n) / (count + n);
    mean += (delta * n) / (count + n);
    count += n;
  }
  if (count === 0) return { min: 0, max: 0, mean: 0, std: 0, zeros, nonFinite, histogram: { from: 0, to: 0, counts: [] } };
  const counts = new Array<number>(bins).fill(0);
  const scale = max > min ? bins / (max - min) : 0;
  for await (const values of chunks(tensor, elements, signal)) {
    for (const value of values) if (Number.isFinite(value)) counts[Math.min(bins - 1, Math.floor((value - min) * scale))]!++;
  }
  return { min, max, mean, std: Math.sqrt(m2 / count), zeros, nonFinite, histogram: { from: min, to: max, counts } };
}

async function* chunks(tensor: Tensor, elements: number, signal?: AbortSignal): AsyncGenerator<Float32Array> {
  for (let start = 0; start < elements; start += chunk) {
    throwIfCancelled(signal);
    yield await readFloats(tensor, start, Math.min(elements, start + chunk), signal);
  }
}
