import { kernelsBase64 } from './built.ts';
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

/** Left to the compiler's own data. */
const STATIC = 64 * 1024;

/** What this file needs of the global: the compiler knows it only with the DOM. */
declare const WebAssembly: {
  Memory: new (limits: { initial: number }) => { readonly buffer: ArrayBuffer };
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: object };
};

type Exports = Readonly<Record<keyof SymmetricKernels, (...places: number[]) => void>>;

let compiled: object | undefined;

/** Room for so many f64 and the work on them: SIMD WebAssembly with a memory of its own, or plain TypeScript where there is none. */
export function openSymmetric(elements: number): SymmetricMemory {
  if (kernelsBase64 === '' || typeof WebAssembly === 'undefined') return plainSymmetric(elements);
  try {
    compiled ??= new WebAssembly.Module(Buffer.from(kernelsBase64, 'base64'));
    // The module asks for a memory that can hold what the other kernels work on, whatever is asked here.
    const memory = new WebAssembly.Memory({ initial: Math.ceil((STATIC + 8 * elements) / 65536) + 1 });
    const abort = (): never => {
      throw new Error('a kernel stopped');
    };
    const call = new WebAssembly.Instance(compiled, { env: { memory, abort } }).exports as Exports;
    return { memory: new Float64Array(memory.buffer, STATIC, elements), kernels: inBytes(call) };
  } catch {
    return plainSymmetric(elements);
  }
}

const inBytes = (call: Exports): SymmetricKernels => {
  const at = (place: number): number => STATIC + 8 * place;
  return {
    addGram: (strips, depth, count, gram, stride) => call.addGram(at(strips), depth, count, at(gram), 8 * stride),
    symmetricProduct: (matrix, stride, first, last, vector, into) =>
      call.symmetricProduct(at(matrix), 8 * stride, first, last, at(vector), at(into)),
    rankTwoUpdate: (matrix, stride, first, last, u, q) => call.rankTwoUpdate(at(matrix), 8 * stride, first, last, at(u), at(q)),
  };
};
