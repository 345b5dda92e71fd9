import { openInstance, STATIC } from '../instance.ts';
import { plainMemory } from './plain.ts';

// All places and strides are in f64 elements of the memory. A strip is four vectors side by side: element k of vector v is at strip + 4 k + v.

/** Blocks of a matrix that is worked on where it lies. */
export interface Products {
  /** Strips, how far they are apart, and how many. */
  readonly left: readonly [place: number, stride: number, count: number];
  readonly right: readonly [place: number, stride: number, count: number];
  /** Elements of each vector that are summed over. */
  readonly depth: number;
  /** Only blocks whose right strip is not behind the left one. */
  readonly lower?: boolean;
  /** Where the block of the first strips lies, how far its four rows are apart, and where the blocks of the next left and right strip lie. */
  readonly into: readonly [place: number, rowStride: number, downStride: number, acrossStride: number];
}

export interface LinearAlgebraKernels {
  /** The 4 x 4 block of the strips i and j -= left_i^T right_j. */
  subtractProducts(products: Products): void;
  /** L x = b for the four vectors of each of `count` strips, in place; the lower triangle L has `depth` rows. */
  solveStrips(strips: number, stripStride: number, count: number, depth: number, lower: number, stride: number): void;
  /** L^T x = b, likewise. */
  solveStripsBack(strips: number, stripStride: number, count: number, depth: number, lower: number, stride: number): void;
  /** Rows i + 1 and i become s a + c b and c a - s b (a row i, b row i + 1), for i from last - 1 down to first: c, s at turns + 2 i. */
  rotateRows(matrix: number, stride: number, length: number, first: number, last: number, turns: number): void;
  /** row -= (row . u / half) u for `count` rows; within rounding of the plain version, which adds in another order. */
  reflectRows(matrix: number, stride: number, count: number, u: number, length: number, half: number): void;
}

export interface LinearAlgebraMemory {
  /** Zeros at first. */
  readonly memory: Float64Array;
  readonly kernels: LinearAlgebraKernels;
}

/** Room for so many f64 and the work on them: SIMD WebAssembly with a memory of its own, or plain TypeScript where there is none. */
export function openLinearAlgebra(elements: number): LinearAlgebraMemory {
  const instance = openInstance(8 * elements);
  if (!instance) return plainMemory(elements);
  const { call, buffer } = instance;
  const at = (place: number): number => STATIC + 8 * place;
  return {
    memory: new Float64Array(buffer, STATIC, elements),
    kernels: {
      subtractProducts: ({ left, right, depth, lower, into }) =>
        call.subtractProducts!(
          ...[at(left[0]), 8 * left[1], left[2], at(right[0]), 8 * right[1], right[2], depth, lower ? 1 : 0],
          ...[at(into[0]), 8 * into[1], 8 * into[2], 8 * into[3]],
        ),
      solveStrips: (strips, stripStride, count, depth, lower, stride) =>
        call.solveStrips!(at(strips), 8 * stripStride, count, depth, at(lower), 8 * stride),
      solveStripsBack: (strips, stripStride, count, depth, lower, stride) =>
        call.solveStripsBack!(at(strips), 8 * stripStride, count, depth, at(lower), 8 * stride),
      rotateRows: (matrix, stride, length, first, last, turns) =>
        call.rotateRows!(at(matrix), 8 * stride, length, first, last, at(turns)),
      reflectRows: (matrix, stride, count, u, length, half) =>
        call.reflectRows!(at(matrix), 8 * stride, count, at(u), length, half),
    },
  };
}

export const fours = (count: number): number => Math.ceil(count / 4) * 4;
