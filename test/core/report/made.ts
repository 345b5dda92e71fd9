import type { Anatomy, Layer, Linear } from '../../../src/core/anatomy/anatomy.ts';
import { type DType, dtypes } from '../../../src/core/tensor/dtype.ts';
import { elementCount, type Shape, type Tensor } from '../../../src/core/tensor/tensor.ts';

// Tensors and anatomies made by hand.

/** A tensor of these bytes; with `reads`, each reading adds its length there. */
export function tensorOf(dtype: DType, shape: Shape, data: ArrayBufferView, reads?: number[], name = 'made'): Tensor {
  const all = new Uint8Array(data.buffer, data.byteOffset, Math.ceil((elementCount(shape) * dtypes[dtype].bits) / 8));
  return {
    name,
    dtype,
    shape,
    byteLength: all.length,
    bytes: async (start = 0, end = all.length, signal) => {
      signal?.throwIfAborted();
      reads?.push(end - start);
      return all.slice(start, end);
    },
    bytesInto: async (into, start, signal) => {
      signal?.throwIfAborted();
      reads?.push(into.length);
      into.set(all.subarray(start, start + into.length));
    },
  };
}

export const fp32 = (shape: Shape, values: ArrayLike<number>, name?: string): Tensor =>
  tensorOf('fp32', shape, Float32Array.from(values), undefined, name);

/** Deterministic numbers around 0, most of them small. */
export function noise(count: number, seed = 1): Float32Array {
  let state = seed >>> 0;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  return Float32Array.from({ length: count }, () => next() + next() + next());
}

export const linearOf = (weight: Tensor, out: number, wide: number, rest: Partial<Linear> = {}): Linear => ({
  id: weight.name,
  weight,
  out,
  in: wide,
  transposed: false,
  form: 'dense',
  nodes: [],
  ...rest,
});

export const layerOf = (
  heads: number,
  headDim: number,
  [query, key, value, output, up, down]: readonly [Linear, Linear, Linear, Linear, Linear, Linear],
  index = 0,
): Layer => ({
  index,
  stored: index,
  heads,
  headDim,
  query,
  key,
  value,
  output,
  up,
  down,
  attentionNorm: { id: 'attention-norm' },
  outputNorm: { id: 'output-norm' },
});

export const anatomyOf = (...layers: readonly Layer[]): Anatomy => ({
  family: 'bert',
  task: 'base',
  hidden: 0,
  vocabulary: 0,
  positions: 0,
  layers,
  tables: [],
  top: [],
  linears: [],
  unclaimed: [],
  copies: new Map(),
  buffers: [],
});
