import { openSymmetric, type SymmetricMemory } from './symmetric.ts';

/** Elements summed over at once: 128 of 768 columns are 786 KB, which stay in the processor's second-level cache. */
const DEPTH = 128;

/**
 * The Gram matrix of N columns, summed in f64 as their elements come. One can be used again and again: its memory is the largest part
 * of finding a spectrum, 8 * N^2 bytes.
 */
export interface Gram {
  /** Most columns it has room for. */
  readonly most: number;
  readonly size: number;
  /** Columns from here on: zeros. */
  start(size: number): void;
  /** Element k of column n is values[n * columnStride + k * elementStride], for k in [0, count). */
  add(values: Float32Array, count: number, columnStride: number, elementStride: number): void;
  /** Its values, both triangles, row by row. */
  values(): Float64Array;
  /** Where it lies, for what takes it apart in place: rows are `stride` elements, `vectors` has room for two of `stride`. */
  readonly place: SymmetricMemory & { readonly matrix: number; readonly stride: number; readonly vectors: number };
}

const padded = (size: number): number => Math.ceil(size / 4) * 4;

export function openGram(most: number): Gram {
  const side = padded(most);
  const matrix = side * DEPTH;
  const vectors = matrix + side * side;
  const { memory, kernels } = openSymmetric(vectors + 2 * side);
  let [size, stride] = [0, 0];
  const pack = (values: Float32Array, from: number, depth: number, columnStride: number, elementStride: number): void => {
    for (let n = 0; n < stride; n++) {
      let to = (n >> 2) * depth * 4 + (n & 3);
      if (n >= size) for (let k = 0; k < depth; k++, to += 4) memory[to] = 0;
      else {
        let at = n * columnStride + from * elementStride;
        for (let k = 0; k < depth; k++, to += 4, at += elementStride) memory[to] = values[at]!;
      }
    }
  };
  return {
    most,
    get size() {
      return size;
    },
    start: columns => {
      size = columns;
      stride = padded(columns);
      memory.fill(0, matrix, matrix + stride * stride);
    },
    add: (values, count, columnStride, elementStride) => {
      for (let from = 0; from < count; from += DEPTH) {
        const depth = Math.min(DEPTH, count - from);
        pack(values, from, depth, columnStride, elementStride);
        kernels.addGram(0, depth, stride / 4, matrix, stride);
      }
    },
    values: () => {
      const all = new Float64Array(size * size);
      for (let r = 0; r < size; r++)
        for (let c = 0; c <= r; c++) all[r * size + c] = all[c * size + r] = memory[matrix + r * stride + c]!;
      return all;
    },
    get place() {
      return { memory, kernels, matrix, stride, vectors };
    },
  };
}
