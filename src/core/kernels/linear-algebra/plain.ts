import type { LinearAlgebraMemory } from './memory.ts';

// The specification of the work on matrices: see memory.ts for the shapes. Places are in f64 elements of `memory`.

/** The same work on an ordinary array. */
export function plainMemory(elements: number): LinearAlgebraMemory {
  const memory = new Float64Array(elements);
  return {
    memory,
    kernels: {
      subtractProducts: ({ left, right, depth, lower, into }) => {
        for (let i = 0; i < 4 * left[2]; i++)
          for (let j = 0; j < 4 * (lower ? Math.min((i >> 2) + 1, right[2]) : right[2]); j++) {
            const at = into[0] + (i >> 2) * into[2] + (i & 3) * into[1] + (j >> 2) * into[3] + (j & 3);
            const [l, r] = [left[0] + (i >> 2) * left[1] + (i & 3), right[0] + (j >> 2) * right[1] + (j & 3)];
            let sum = memory[at]!;
            for (let k = 0; k < depth; k++) sum -= memory[l + 4 * k]! * memory[r + 4 * k]!;
            memory[at] = sum;
          }
      },
      solveStrips: (strips, stripStride, count, depth, lower, stride) => {
        for (let v = 0; v < 4 * count; v++) {
          const x = strips + (v >> 2) * stripStride + (v & 3);
          for (let j = 0; j < depth; j++) {
            let sum = memory[x + 4 * j]!;
            for (let i = 0; i < j; i++) sum -= memory[lower + j * stride + i]! * memory[x + 4 * i]!;
            memory[x + 4 * j] = sum / memory[lower + j * stride + j]!;
          }
        }
      },
      solveStripsBack: (strips, stripStride, count, depth, lower, stride) => {
        for (let v = 0; v < 4 * count; v++) {
          const x = strips + (v >> 2) * stripStride + (v & 3);
          for (let j = depth - 1; j >= 0; j--) {
            let sum = memory[x + 4 * j]!;
            for (let i = j + 1; i < depth; i++) sum -= memory[lower + i * stride + j]! * memory[x + 4 * i]!;
            memory[x + 4 * j] = sum / memory[lower + j * stride + j]!;
          }
        }
      },
      rotateRows: (matrix, stride, length, first, last, turns) => {
        for (let i = last - 1; i >= first; i--) {
          const [low, high] = [matrix + i * stride, matrix + (i + 1) * stride];
          const [c, s] = [memory[turns + 2 * i]!, memory[turns + 2 * i + 1]!];
          for (let k = 0; k < length; k++) {
            const [a, b] = [memory[low + k]!, memory[high + k]!];
            memory[high + k] = s * a + c * b;
            memory[low + k] = c * a - s * b;
          }
        }
      },
      reflectRows: (matrix, stride, count, u, length, half) => {
        for (let r = 0; r < count; r++) {
          const row = matrix + r * stride;
          let dot = 0;
          for (let k = 0; k < length; k++) dot += memory[row + k]! * memory[u + k]!;
          for (let k = 0; k < length; k++) memory[row + k]! -= (dot / half) * memory[u + k]!;
        }
      },
    },
  };
}
