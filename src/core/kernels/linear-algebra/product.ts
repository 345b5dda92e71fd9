import { fours, openLinearAlgebra } from './memory.ts';

/** Vectors in an array: element k of vector v is values[v * vectorStride + k * elementStride]. */
export interface Vectors {
  readonly values: Float32Array | Float64Array;
  readonly count: number;
  readonly vectorStride: number;
  readonly elementStride: number;
}

/** Left vectors worked on at once. */
const BLOCK = 64;

/**
 * into [left, right] = the products of left vectors with right vectors, summed in f64 over `depth` elements.
 * `pause` is awaited between steps: what it throws ends the work.
 * Memory: 8 bytes of WebAssembly for each element of the right vectors, and for 64 left vectors and their products.
 */
export async function products<T extends Float32Array | Float64Array>(
  left: Vectors,
  right: Vectors,
  depth: number,
  into: T,
  pause: () => Promise<void> = async () => {},
): Promise<T> {
  const across = fours(right.count);
  const leftPlace = across * depth;
  const result = leftPlace + BLOCK * depth;
  const { memory, kernels } = openLinearAlgebra(result + BLOCK * across);
  pack(memory, right, 0, right.count, depth, 0);
  for (let first = 0; first < left.count; first += BLOCK) {
    await pause();
    const last = Math.min(left.count, first + BLOCK);
    pack(memory, left, first, last, depth, leftPlace);
    memory.fill(0, result);
    kernels.subtractProducts({
      left: [leftPlace, 4 * depth, fours(last - first) / 4],
      right: [0, 4 * depth, across / 4],
      depth,
      into: [result, across, 4 * across, 4],
    });
    for (let r = first; r < last; r++)
      for (let c = 0; c < right.count; c++) into[r * right.count + c] = 0 - memory[result + (r - first) * across + c]!;
  }
  return into;
}

/** Vectors [first, last) as strips of four. */
function pack(memory: Float64Array, from: Vectors, first: number, last: number, depth: number, into: number): void {
  const { values, vectorStride, elementStride } = from;
  for (let v = first; v < last; v++) {
    let to = into + (v - first - ((v - first) & 3)) * depth + ((v - first) & 3);
    let at = v * vectorStride;
    for (let k = 0; k < depth; k++, to += 4, at += elementStride) memory[to] = values[at]!;
  }
}
