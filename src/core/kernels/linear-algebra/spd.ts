import { fours, type LinearAlgebraMemory, openLinearAlgebra } from './memory.ts';

// Symmetric positive definite matrices, f64, row-major [n, n]; only their lower triangles are read. N is n rounded up to a multiple of 4.
// Source: Golub and Van Loan, Matrix Computations, 4.2 (blocked, right-looking). Memory: 8 N^2 bytes of WebAssembly, as much again for
// what is solved for (8 N m for m right-hand sides), 8 * 64 * N to pack in. It is freed when nothing refers to it any more.

/** Rows worked on at once: a packed strip of them is 2 KiB. */
const BLOCK = 64;

/** A matrix in a memory; the rows and columns that fill it up are those of the identity. */
interface Place extends LinearAlgebraMemory {
  /** A multiple of 4, and the stride of the matrix at 0. */
  readonly size: number;
  /** Strips of the right-hand sides, `size` deep. */
  readonly strips: number;
  readonly packed: number;
}

function openPlace(a: Float64Array, n: number, solutions: number, reversed = false): Place {
  const size = fours(n);
  const strips = size * size;
  const packed = strips + size * fours(solutions);
  const { memory, kernels } = openLinearAlgebra(packed + size * BLOCK);
  for (let r = 0; r < n; r++)
    if (reversed) for (let c = 0; c <= r; c++) memory[r * size + c] = a[(n - 1 - c) * n + (n - 1 - r)]!;
    else memory.set(a.subarray(r * n, r * n + r + 1), r * size);
  for (let r = n; r < size; r++) memory[r * size + r] = 1;
  return { memory, kernels, size, strips, packed };
}

/**
 * a = L L^T: the lower triangle of `a` becomes L and the upper one zeros.
 * false, and `a` as it was, where it is not positive definite (or not finite).
 */
export function cholesky(a: Float64Array, n: number): boolean {
  const place = openPlace(a, n, 0);
  if (!factor(place)) return false;
  a.fill(0, 0, n * n);
  for (let r = 0; r < n; r++) a.set(place.memory.subarray(r * place.size, r * place.size + r + 1), r * n);
  return true;
}

/** a^-1 b for b [n, m], as a new array; undefined where `a` is not positive definite. */
export function solveSpd(a: Float64Array, n: number, b: Float64Array, m: number): Float64Array | undefined {
  const place = openPlace(a, n, m);
  if (!factor(place)) return undefined;
  const { memory, strips, size } = place;
  const at = (r: number, c: number): number => strips + ((c >> 2) * size + r) * 4 + (c & 3);
  for (let r = 0; r < n; r++) for (let c = 0; c < m; c++) memory[at(r, c)] = b[r * m + c]!;
  solveForward(place, fours(m) / 4, false);
  solveBack(place, fours(m) / 4);
  const into = new Float64Array(n * m);
  for (let r = 0; r < n; r++) for (let c = 0; c < m; c++) into[r * m + c] = memory[at(r, c)]!;
  return into;
}

/** a^-1, both triangles, as a new array; undefined where `a` is not positive definite. */
export function invertSpd(a: Float64Array, n: number): Float64Array | undefined {
  const place = openPlace(a, n, n);
  if (!factor(place)) return undefined;
  invertTriangle(place);
  const { memory, kernels, strips, size } = place;
  // a^-1 = W^T W for W = L^-1, of which column j begins at row j.
  memory.fill(0, 0, size * size);
  for (let k = 0; k < size; k += BLOCK) {
    const end = Math.min(size, k + BLOCK);
    const columns = [strips + 4 * k, 4 * size, end / 4] as const;
    kernels.subtractProducts({ left: columns, right: columns, depth: end - k, lower: true, into: [0, size, 4 * size, 4] });
  }
  const into = new Float64Array(n * n);
  for (let r = 0; r < n; r++) for (let c = 0; c <= r; c++) into[r * n + c] = into[c * n + r] = -memory[r * size + c]!;
  return into;
}

/**
 * The upper U with U^T U = a^-1 and a positive diagonal, zeros below, as a new array; undefined where `a` is not positive definite.
 * What GPTQ calls the Cholesky factor of the inverse Hessian: with rows and columns reversed it is the inverse of the factor of `a`,
 * so that `a` is never inverted.
 */
export function inverseCholeskyUpper(a: Float64Array, n: number): Float64Array | undefined {
  const place = openPlace(a, n, n, true);
  if (!factor(place)) return undefined;
  invertTriangle(place);
  const { memory, strips, size } = place;
  const into = new Float64Array(n * n);
  for (let r = 0; r < n; r++)
    for (let c = 0; c <= r; c++) into[(n - 1 - r) * n + (n - 1 - c)] = memory[strips + ((c >> 2) * size + r) * 4 + (c & 3)]!;
  return into;
}

/** The lower triangle of the matrix becomes its factor. false where a pivot is not positive. */
function factor({ memory, kernels, size, packed }: Place): boolean {
  for (let k = 0; k < size; k += BLOCK) {
    const end = Math.min(size, k + BLOCK);
    if (!factorBlock(memory, k * size + k, size, end - k)) return false;
    const [depth, count] = [end - k, (size - end) / 4];
    packRows(memory, end, size, k, end, size, packed);
    kernels.solveStrips(packed, 4 * depth, count, depth, k * size + k, size);
    for (let r = end; r < size; r++) {
      const from = packed + (r - end - ((r - end) & 3)) * depth + ((r - end) & 3);
      for (let c = 0; c < depth; c++) memory[r * size + k + c] = memory[from + 4 * c]!;
    }
    const rows = [packed, 4 * depth, count] as const;
    const into = [end * size + end, size, 4 * size, 4] as const;
    kernels.subtractProducts({ left: rows, right: rows, depth, lower: true, into });
  }
  return true;
}

function factorBlock(memory: Float64Array, place: number, stride: number, size: number): boolean {
  for (let r = 0; r < size; r++) {
    const row = place + r * stride;
    for (let c = 0; c <= r; c++) {
      const other = place + c * stride;
      let sum = memory[row + c]!;
      for (let k = 0; k < c; k++) sum -= memory[row + k]! * memory[other + k]!;
      if (c < r) memory[row + c] = sum / memory[other + c]!;
      else if (sum > 0 && sum < Infinity) memory[row + c] = Math.sqrt(sum);
      else return false;
    }
  }
  return true;
}

/** Rows [first, last) of the columns [from, to) as strips of four rows. */
function packRows(memory: Float64Array, first: number, last: number, from: number, to: number, stride: number, into: number) {
  const depth = to - from;
  for (let r = first; r < last; r++) {
    let at = into + (r - first - ((r - first) & 3)) * depth + ((r - first) & 3);
    for (let c = from; c < to; c++, at += 4) memory[at] = memory[r * stride + c]!;
  }
}

/** Columns [first, last) of the rows [from, to) as strips of four columns. */
function packColumns(memory: Float64Array, first: number, last: number, from: number, to: number, stride: number, into: number) {
  const depth = to - from;
  for (let r = from; r < to; r++)
    for (let c = first; c < last; c++)
      memory[into + (c - first - ((c - first) & 3)) * depth + 4 * (r - from) + ((c - first) & 3)] = memory[r * stride + c]!;
}

/** The strips become L^-1 of the identity. */
function invertTriangle(place: Place): void {
  for (let r = 0; r < place.size; r++) place.memory[place.strips + ((r >> 2) * place.size + r) * 4 + (r & 3)] = 1;
  solveForward(place, place.size / 4, true);
}

/** L x = b for the strips. `triangular`: vector j is zero before its element j, which nothing is spent on. */
function solveForward({ memory, kernels, size, strips, packed }: Place, count: number, triangular: boolean): void {
  for (let k = 0; k < size; k += BLOCK) {
    const end = Math.min(size, k + BLOCK);
    packRows(memory, k, end, 0, k, size, packed);
    // For triangular ones, by groups of strips that begin together.
    const group = triangular ? BLOCK / 4 : count;
    for (let first = 0; first < Math.min(count, triangular ? k / 4 : count); first += group) {
      const skip = triangular ? 4 * first : 0;
      kernels.subtractProducts({
        left: [packed + 4 * skip, 4 * k, (end - k) / 4],
        right: [strips + 4 * (first * size + skip), 4 * size, Math.min(group, count - first)],
        depth: k - skip,
        into: [strips + 4 * (first * size + k), 4, 16, 4 * size],
      });
    }
    kernels.solveStrips(strips + 4 * k, 4 * size, triangular ? end / 4 : count, end - k, k * size + k, size);
  }
}

/** L^T x = b for the strips. */
function solveBack({ memory, kernels, size, strips, packed }: Place, count: number): void {
  for (let k = Math.floor((size - 1) / BLOCK) * BLOCK; k >= 0; k -= BLOCK) {
    const end = Math.min(size, k + BLOCK);
    const depth = size - end;
    packColumns(memory, k, end, end, size, size, packed);
    kernels.subtractProducts({
      left: [packed, 4 * depth, (end - k) / 4],
      right: [strips + 4 * end, 4 * size, count],
      depth,
      into: [strips + 4 * k, 4, 16, 4 * size],
    });
    kernels.solveStripsBack(strips + 4 * k, 4 * size, count, end - k, k * size + k, size);
  }
}
