import type { Linear } from '../../anatomy/anatomy.ts';
import { svd } from '../../kernels/linear-algebra/svd.ts';
import { computed, deferred, once } from '../computed.ts';
import { stored } from '../factorize/factors.ts';
import { matrixOf } from '../factorize/matrix.ts';
import { pauseOf } from '../factorize/pause.ts';
import { balanced } from '../factorize/plain.ts';
import type { FactorEdit } from '../pass.ts';

/**
 * The rank at which one inner factor [rank, in] and an outer one [out, rank] for each matrix have `ratio` of their parameters; undefined
 * where there is none.
 */
export function basisRank(linears: readonly Linear[], ratio: number): number | undefined {
  const { out, in: width } = linears[0]!;
  const rank = Math.floor((ratio * linears.length * out * width) / (linears.length * out + width));
  return rank < 1 || rank > Math.min(width, linears.length * out) ? undefined : rank;
}

/**
 * Matrices of one shape as a shared inner factor and an outer one each: the best in the sum of their squared differences, by the
 * singular value decomposition of all of them one below the other. Computed when they are read, and held.
 */
export function basisFactors(linears: readonly [Linear, ...Linear[]], rank: number): FactorEdit[] {
  const { out, in: width, weight } = linears[0];
  const { dtype } = weight;
  const factors = once(async (signal?: AbortSignal) => {
    const all = new Float32Array(linears.length * out * width);
    for (const [at, linear] of linears.entries()) all.set(await matrixOf(linear, signal), at * out * width);
    const { values, left, right } = await svd(all, linears.length * out, width, rank, pauseOf(signal));
    const { first, second } = balanced(values, left, right, width, rank);
    return { first: stored(first, dtype), second: stored(second, dtype) };
  });
  const first = deferred('first', dtype, [rank, width], async signal => (await factors(signal)).first);
  return linears.map((target, at): FactorEdit => {
    const second = computed('second', dtype, [out, rank], async (start, end, signal) => {
      const bytes = (await factors(signal)).second;
      const from = (at * bytes.length) / linears.length;
      return bytes.subarray(from + start, from + end);
    });
    return { kind: 'factor', target, first, second };
  });
}
