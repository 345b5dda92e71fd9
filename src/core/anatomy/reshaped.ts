import type { Graph } from '../model/graph.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';
import { mayBeWeight } from './constant.ts';
import { integersOf } from './heads.ts';

/** Exporters that keep such kernels reshape one for each matrix. */
const mostRead = 20_000;

/**
 * Values that are a stored tensor of two or more dimensions reshaped into a matrix: Keras keeps the kernels of attention as
 * [hidden, heads, width]. Reads the shapes, which are a few numbers each.
 */
export async function reshapedMatrices(
  { nodes }: Graph,
  tensors: ReadonlyMap<string, Tensor>,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, readonly [number, number]>> {
  const found = new Map<string, readonly [number, number]>();
  let count = 0;
  for (const { opType, inputs, outputs } of nodes) {
    if (opType !== 'Reshape') continue;
    const [tensor, shape] = [tensors.get(inputs[0] ?? ''), tensors.get(inputs[1] ?? '')];
    if (!tensor || !shape || tensor.shape.length < 2 || !mayBeWeight(tensor)) continue;
    if (++count > mostRead) break;
    const sizes = await integersOf(shape, signal);
    const total = elementCount(tensor.shape);
    if (sizes?.length !== 2 || total === 0) continue;
    const [rows, columns] = sizes.map((size, at) => (size === 0 ? tensor.shape[at]! : size < 0 ? total / sizes[1 - at]! : size));
    if (rows! > 0 && rows! * columns! === total) found.set(outputs[0] ?? '', [rows!, columns!]);
  }
  return found;
}
