import { openInstance, STATIC } from '../instance.ts';
import { plainSymmetric32 } from './symmetric32-plain.ts';

// N rows and columns. All places and strides are in f32 elements of the memory; a stride is a multiple of 4.

/** What is done to a symmetric N x N matrix in f32 of which only the lower triangle is kept. */
export interface Symmetric32Kernels {
  /** into_N += matrix_NN * vector_N for `count` rows and what mirrors them. */
  symmetricProduct32(matrix: number, stride: number, count: number, vector: number, into: number): void;
  /** matrix_NN -= u q^T + q u^T in the lower triangle of `count` rows; what lies beside it may change. The vectors are filled up to a multiple of 4. */
  rankTwoUpdate32(matrix: number, stride: number, count: number, u: number, q: number): void;
}

export interface Symmetric32Memory {
  /** Zeros at first. */
  readonly memory: Float32Array;
  readonly kernels: Symmetric32Kernels;
}

/** Room for so many f32 and the work on them: SIMD WebAssembly with a memory of its own, or plain TypeScript where there is none. */
export function openSymmetric32(elements: number): Symmetric32Memory {
  const instance = openInstance(4 * elements);
  if (!instance) return plainSymmetric32(elements);
  const { call, buffer } = instance;
  const at = (place: number): number => STATIC + 4 * place;
  return {
    memory: new Float32Array(buffer, STATIC, elements),
    kernels: {
      symmetricProduct32: (matrix, stride, count, vector, into) =>
        call.symmetricProduct32!(at(matrix), 4 * stride, count, at(vector), at(into)),
      rankTwoUpdate32: (matrix, stride, count, u, q) => call.rankTwoUpdate32!(at(matrix), 4 * stride, count, at(u), at(q)),
    },
  };
}

/** The last memory that was given back: seventy new ones in a row would wait for the garbage collector. */
let kept: Symmetric32Memory | undefined;

/** A memory of exactly so many elements, holding anything. Give it back. */
export function borrowSymmetric32(elements: number): Symmetric32Memory {
  const place = kept?.memory.length === elements ? kept : openSymmetric32(elements);
  kept = undefined;
  return place;
}

export function giveBackSymmetric32(place: Symmetric32Memory): void {
  kept = place;
}
