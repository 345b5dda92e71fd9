import type { Graph } from '../../model/graph.ts';
import type { Model } from '../../model/model.ts';
import { elementCount, type Tensor } from '../../tensor/tensor.ts';
import { type Known, mostNumbers } from './known.ts';

/** A graph with the shapes of what is stored in it: all that counting its products needs, and no weight. */
export interface StoredShapes {
  readonly graph: Graph;
  readonly stored: ReadonlyMap<string, Known>;
  /** What each ConstantOfShape fills its output with, by the output's name. */
  readonly fills: ReadonlyMap<string, Known>;
}

/** Reads small tensors of integers, no others. undefined for a model without a graph. */
export async function storedShapes({ graph, tensors }: Model, signal?: AbortSignal): Promise<StoredShapes | undefined> {
  if (!graph) return undefined;
  const stored = new Map<string, Known>();
  for (const [name, tensor] of tensors) {
    const numbers = await numbersOf(tensor, signal);
    stored.set(name, { shape: tensor.shape, ...(numbers && { numbers }) });
  }
  const fills = new Map<string, Known>();
  for (const { opType, attributes, outputs } of graph.nodes) {
    if (opType !== 'ConstantOfShape') continue;
    const value = attributes.get('value');
    const numbers = value?.type === 'tensor' ? await numbersOf(value.value, signal) : [0];
    if (numbers) fills.set(outputs[0]!, { shape: [], numbers });
  }
  return { graph, stored, fills };
}

async function numbersOf(tensor: Tensor, signal?: AbortSignal): Promise<number[] | undefined> {
  const { dtype, shape } = tensor;
  if ((dtype !== 'int64' && dtype !== 'int32') || elementCount(shape) > mostNumbers) return undefined;
  const bytes = await tensor.bytes(0, tensor.byteLength, signal);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: elementCount(shape) }, (_, i) =>
    dtype === 'int64' ? Number(view.getBigInt64(8 * i, true)) : view.getInt32(4 * i, true),
  );
}
