import type { Symmetric32Memory } from './symmetric32.ts';

// The specification of the work on symmetric matrices in f32: see symmetric32.ts for the shapes.

/** The same work on an ordinary array. */
export function plainSymmetric32(elements: number): Symmetric32Memory {
  const memory = new Float32Array(elements);
  return {
    memory,
    kernels: {
      symmetricProduct32: (matrix, stride, count, vector, into) => {
        for (let r = 0; r < count; r++) {
          const row = matrix + r * stride;
          const own = memory[vector + r]!;
          let sum = 0;
          for (let c = 0; c < r; c++) {
            sum += memory[row + c]! * memory[vector + c]!;
            memory[into + c]! += memory[row + c]! * own;
          }
          memory[into + r]! += sum + memory[row + r]! * own;
        }
      },
      rankTwoUpdate32: (matrix, stride, count, u, q) => {
        for (let r = 0; r < count; r++)
          for (let c = 0; c <= r; c++)
            memory[matrix + r * stride + c]! -= memory[u + r]! * memory[q + c]! + memory[q + r]! * memory[u + c]!;
      },
    },
  };
}
