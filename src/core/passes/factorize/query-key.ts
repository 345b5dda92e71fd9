import { cholesky } from '../../kernels/linear-algebra/spd.ts';
import { svd } from '../../kernels/linear-algebra/svd.ts';

// D width of a head, H what it reads, R its new width.

/** Rows of query and key of one head, and what is known of the inputs. */
export interface Head {
  /** [D, H] */
  readonly query: Float64Array;
  /** [D]; the key's bias adds the same to a query's scores for all keys, which softmax does not see. */
  readonly queryBias: Float64Array;
  /** [D, H] */
  readonly key: Float64Array;
  /** Of the inputs: f64 [H, H] covariance and [H] mean. Absent: independent, of variance 1 about 0. */
  readonly moments?: { readonly covariance: Float64Array; readonly mean: Float64Array };
}

export interface NarrowHead {
  /** [R, H] */
  readonly query: Float64Array;
  readonly queryBias: Float64Array;
  /** [R, H]; its bias is 0. */
  readonly key: Float64Array;
  /** Singular values of the scores, largest first: those behind R are lost. */
  readonly values: Float64Array;
}

const DAMPING = 1e-10;

/**
 * The narrower query and key whose scores are closest to a head's, in the mean square over pairs of inputs and up to what is the same for all
 * keys: the truncated SVD of [Wq bq]^T Wk between the roots of the inputs' moments, found in D x D. Exact at R = D.
 * undefined where the numbers are not finite.
 * source  the factorization of W_Q W_K^T head by head, with DRONE's whitening (Chen et al., NeurIPS 2021) on both sides
 */
export async function narrowHead(head: Head, depth: number, width: number, rank: number): Promise<NarrowHead | undefined> {
  const { query, queryBias, key, moments } = head;
  const seenQuery = gram(query, depth, width, moments?.covariance);
  const shift = Float64Array.from(queryBias);
  if (moments)
    for (let d = 0; d < depth; d++) for (let h = 0; h < width; h++) shift[d]! += query[d * width + h]! * moments.mean[h]!;
  for (let i = 0; i < depth; i++) for (let j = 0; j < depth; j++) seenQuery[i * depth + j]! += shift[i]! * shift[j]!;
  const seenKey = gram(key, depth, width, moments?.covariance);
  if (!rooted(seenQuery, depth) || !rooted(seenKey, depth)) return undefined;
  // C = Lq^T Lk has the singular values of the scores.
  const core = new Float32Array(depth * depth);
  for (let i = 0; i < depth; i++)
    for (let j = 0; j < depth; j++) {
      let sum = 0;
      for (let k = Math.max(i, j); k < depth; k++) sum += seenQuery[k * depth + i]! * seenKey[k * depth + j]!;
      core[i * depth + j] = sum;
    }
  const { values, left, right } = await svd(core, depth, depth, rank);
  const roots = Float64Array.from({ length: rank }, (_, r) => Math.sqrt(values[r]!));
  const fromQuery = backwards(seenQuery, depth, rank, (r, d) => left[d * rank + r]! * roots[r]!);
  const fromKey = backwards(seenKey, depth, rank, (r, d) => right[r * depth + d]! * roots[r]!);
  return {
    query: times(fromQuery, query, rank, depth, width),
    queryBias: times(fromQuery, queryBias, rank, depth, 1),
    key: times(fromKey, key, rank, depth, width),
    values,
  };
}

/** a M a^T for a [rows, width]. */
function gram(a: Float64Array, rows: number, width: number, m?: Float64Array): Float64Array {
  const seen = m ? times(a, m, rows, width, width) : a;
  const into = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < rows; j++) {
      let sum = 0;
      for (let k = 0; k < width; k++) sum += seen[i * width + k]! * a[j * width + k]!;
      into[i * rows + j] = sum;
    }
  return into;
}

/** The lower Cholesky factor in place, with next to nothing on the diagonal, more where that is not enough. */
function rooted(a: Float64Array, n: number): boolean {
  let mean = 0;
  for (let i = 0; i < n; i++) mean += a[i * n + i]! / n;
  if (!Number.isFinite(mean)) return false;
  for (let damping = DAMPING; damping < 1; damping *= 100) {
    const tried = Float64Array.from(a);
    for (let i = 0; i < n; i++) tried[i * n + i]! += damping * (mean || 1);
    if (!cholesky(tried, n)) continue;
    a.set(tried);
    return true;
  }
  return false;
}

/** Row r of the result [rank, n] is the x with x L = row r, for the lower L. */
function backwards(lower: Float64Array, n: number, rank: number, row: (r: number, d: number) => number): Float64Array {
  const into = new Float64Array(rank * n);
  for (let r = 0; r < rank; r++)
    for (let d = n - 1; d >= 0; d--) {
      let sum = row(r, d);
      for (let k = d + 1; k < n; k++) sum -= into[r * n + k]! * lower[k * n + d]!;
      into[r * n + d] = sum / lower[d * n + d]!;
    }
  return into;
}

function times(a: Float64Array, b: Float64Array, rows: number, depth: number, columns: number): Float64Array {
  const into = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++)
    for (let k = 0; k < depth; k++) {
      const by = a[r * depth + k]!;
      for (let c = 0; c < columns; c++) into[r * columns + c]! += by * b[k * columns + c]!;
    }
  return into;
}
