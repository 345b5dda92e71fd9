import { solveSpd } from '../../../kernels/linear-algebra/spd.ts';

// O out, I in.

/**
 * The matrix that gives y from x with the least squared error, drawn towards `toward_OI` by `strength` times the mean variance of x.
 * covariance_II, covariance_IO  centred second moments of x and of x with y
 * returns  [out, in]; undefined where x has no variance
 */
export function ridge(
  covariance_II: Float64Array,
  covariance_IO: Float64Array,
  toward_OI: Float32Array,
  out: number,
  wide: number,
  strength: number,
): Float32Array | undefined {
  let mean = 0;
  for (let i = 0; i < wide; i++) mean += covariance_II[i * wide + i]! / wide;
  const pull = strength * mean;
  if (!(pull > 0)) return undefined;
  const left = covariance_II.slice();
  for (let i = 0; i < wide; i++) left[i * wide + i]! += pull;
  const right = covariance_IO.slice();
  for (let i = 0; i < wide; i++) for (let o = 0; o < out; o++) right[i * out + o]! += pull * toward_OI[o * wide + i]!;
  const solved_IO = solveSpd(left, wide, right, out);
  if (!solved_IO) return undefined;
  const into = new Float32Array(out * wide);
  for (let i = 0; i < wide; i++) for (let o = 0; o < out; o++) into[o * wide + i] = solved_IO[i * out + o]!;
  return into;
}
