import { openInstance, STATIC } from './instance.ts';
import { plainSymmetric } from './symmetric-plain.ts';

// N rows and columns, K elements that are summed over. All places and strides are in f64 elements of the memory.

/** What is done to a symmetric N x N matrix of which only the lower triangle is kept. */
export interface SymmetricKernels {
  /**
   * gram_NN += columns^T columns, in the lower triangle by blocks of four. Columns lie in strips of four: element k of column n is at
   * strips + ((n >> 2) * depth + k) * 4 + (n & 3); `count` strips.
   */
  addGram(strips: number, depth: number, count: number, gram: number, stride: number): void;
  /** into_N += matrix_NN * vector_N for the rows [first, last) and what mirrors them; `last` rows in all. */
  symmetricProduct(matrix: number, stride: number, first: number, last: number, vector: number, into: number): void;
  /** matrix_NN -= u q^T + q u^T for the rows [first, last). */
  rankTwoUpdate(matrix: number, stride: number, first: number, last: number, u: number, q: number): void;
}

export interface SymmetricMemory {
  /** Zeros at first. */
  readonly memory: Float64Array;
  readonly kernels: SymmetricKernels;
}

/** Room for so many f64 and the work on them: SIMD WebAssembly with a memory of its own, or plain TypeScript where there is none. */
export function openSymmetric(elements: number): SymmetricMemory {
  const instance = openInstance(8 * elements);
  if (!instance) return plainSymmetric(elements);
  return { memory: new Float64Array(instance.buffer, STATIC, elements), kernels: inBytes(instance.call as SymmetricExports) };
}

type SymmetricExports = Readonly<Record<keyof SymmetricKernels, (...places: number[]) => void>>;

const inBytes = (call: SymmetricExports): SymmetricKernels => {
  const at = (place: number): number => STATIC + 8 * place;
  return {
    addGram: (strips, depth, count, gram, stride) => call.addGram(at(strips), depth, count, at(gram), 8 * stride),
    symmetricProduct: (matrix, stride, first, last, vector, into) =>
      call.symmetricProduct(at(matrix), 8 * stride, first, last, at(vector), at(into)),
    rankTwoUpdate: (matrix, stride, first, last, u, q) => call.rankTwoUpdate(at(matrix), 8 * stride, first, last, at(u), at(q)),
  };
};
