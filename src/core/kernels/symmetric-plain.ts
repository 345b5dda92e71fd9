import type { SymmetricKernels } from './symmetric.ts';

// The specification of the work on symmetric matrices: see symmetric.ts for the shapes. Places are in f64 elements of `memory`.

/** The same work on an ordinary array. */
export function plainSymmetric(elements: number): { readonly memory: Float64Array; readonly kernels: SymmetricKernels } {
  const memory = new Float64Array(elements);
  return {
    memory,
    kernels: {
      addGram: (strips, depth, count, gram, stride) => {
        const column = (n: number): number => strips + (n >> 2) * depth * 4 + (n & 3);
        for (let i = 0; i < 4 * count; i++)
          for (let j = 0; j < (i & ~3) + 4; j++) {
            let sum = memory[gram + i * stride + j]!;
            for (let k = 0; k < depth; k++) sum += memory[column(i) + 4 * k]! * memory[column(j) + 4 * k]!;
            memory[gram + i * stride + j] = sum;
          }
      },
      symmetricProduct: (matrix, stride, first, last, vector, into) => {
        for (let r = first; r < last; r++) {
          const row = matrix + r * stride;
          let sum = 0;
          for (let c = 0; c < r; c++) {
            sum += memory[row + c]! * memory[vector + c]!;
            memory[into + c]! += memory[row + c]! * memory[vector + r]!;
          }
          memory[into + r]! += sum + memory[row + r]! * memory[vector + r]!;
        }
      },
      rankTwoUpdate: (matrix, stride, first, last, u, q) => {
        for (let r = first; r < last; r++)
          for (let c = 0; c <= r; c++)
            memory[matrix + r * stride + c]! -= memory[u + r]! * memory[q + c]! + memory[q + r]! * memory[u + c]!;
      },
    },
  };
}
