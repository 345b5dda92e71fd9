import type { Layer, Linear } from '../../../anatomy/anatomy.ts';
import { floatsOf } from '../../../kernels/floats.ts';
import { elementCount } from '../../../tensor/tensor.ts';

/** Squared size of the weights of each head: its rows of query, key and value, and its columns of the output projection. [heads] */
export async function headMagnitudes(layer: Layer, signal?: AbortSignal): Promise<number[]> {
  const { query, key, value, output, headDim } = layer;
  const sums = new Array<number>(layer.heads).fill(0);
  for (const linear of [query, key, value]) await add(sums, linear, 'out', headDim, signal);
  await add(sums, output, 'in', headDim, signal);
  return sums;
}

/** Squared size of the weights of each neuron: its rows of the first matrix and the gate, and its column of the second. [neurons] */
export async function neuronMagnitudes({ up, gate, down }: Layer, signal?: AbortSignal): Promise<number[]> {
  const sums = new Array<number>(down.in).fill(0);
  await add(sums, up, 'out', 1, signal);
  if (gate) await add(sums, gate, 'out', 1, signal);
  await add(sums, down, 'in', 1, signal);
  return sums;
}

/** `width` outputs (or inputs) of the linear belong to one unit. */
async function add(sums: number[], linear: Linear, side: 'out' | 'in', width: number, signal?: AbortSignal): Promise<void> {
  const values = await floatsOf(linear.weight, 0, elementCount(linear.weight.shape), signal);
  const columns = linear.transposed ? linear.out : linear.in;
  const alongColumns = (side === 'out') === linear.transposed;
  for (let i = 0; i < values.length; i++) {
    const place = alongColumns ? i % columns : Math.floor(i / columns);
    sums[Math.floor(place / width)]! += values[i]! * values[i]!;
  }
}
