import type { Table } from '../../anatomy/anatomy.ts';
import { throwIfCancelled } from '../../errors.ts';
import { floatsOf, rowRuns } from '../../kernels/floats.ts';
import { openGram } from '../../kernels/gram.ts';
import { products } from '../../kernels/linear-algebra/product.ts';
import { topEigen } from '../../kernels/linear-algebra/top-eigen.ts';
import { dtypes } from '../../tensor/dtype.ts';
import { computed, deferred, once } from '../computed.ts';
import type { FactorEdit } from '../pass.ts';
import { countedRows } from '../token-counts.ts';
import { stored } from './factors.ts';
import { checkFinite } from './matrix.ts';
import { pauseOf } from './pause.ts';

// V rows, H width, R rank.

/** Rows of which the spread of a narrow column is taken. */
const SAMPLED = 4096;

interface Basis {
  /** What the narrow table is: rows times this. */
  readonly into_RH: Float32Array;
  /** [H, R]: what widens it. */
  readonly back_HR: Float32Array;
}

/**
 * A table of words as a narrow one and what widens it, computed when they are read: the best in the sum of squared differences, each row
 * counted as often as `weights` says. The rows are read twice, run by run. Columns of the narrow table have a spread of 1, so that a row
 * is easy to store in fewer bits.
 */
export function tableFactors(target: Table, rank: number, weights?: ArrayLike<number>): FactorEdit {
  const { weight, rows, width } = target;
  const { dtype } = weight;
  const basis = once(signal => basisOf(target, rank, weights, signal));
  const bytesEach = dtypes[dtype].bits / 8;
  return {
    kind: 'factor',
    target,
    first: deferred('first', dtype, [width, rank], async signal => stored((await basis(signal)).back_HR, dtype)),
    second: computed('second', dtype, [rows, rank], async (start, end, signal) => {
      const { into_RH } = await basis(signal);
      const row = rank * bytesEach;
      const [first, last] = [Math.floor(start / row), Math.ceil(end / row)];
      const into = new Uint8Array((last - first) * row);
      const right = { values: into_RH, count: rank, vectorStride: width, elementStride: 1 };
      for await (const run of rowRuns(weight, width, first, last, signal)) {
        const left = { values: run.values_RC, count: run.last - run.first, vectorStride: width, elementStride: 1 };
        const narrow = await products(left, right, width, new Float32Array(left.count * rank), pauseOf(signal));
        into.set(stored(narrow, dtype), (run.first - first) * row);
      }
      return into.subarray(start - first * row, end - first * row);
    }),
  };
}

async function basisOf(
  { id, weight, rows, width }: Table,
  rank: number,
  weights: ArrayLike<number> | undefined,
  signal?: AbortSignal,
): Promise<Basis> {
  const gram = openGram(width);
  gram.start(width);
  for await (const { first, last, values_RC } of rowRuns(weight, width, 0, rows, signal)) {
    throwIfCancelled(signal);
    checkFinite(values_RC, id);
    const scaled = weights ? countedRows(values_RC, width, weights, first) : values_RC;
    gram.add(scaled, last - first, 1, width);
  }
  const { vectors } = await topEigen(gram.values(), width, rank, 0, pauseOf(signal));
  const into_RH = Float32Array.from(vectors);
  const spread_R = await spreads(await sampled(weight, rows, width, signal), into_RH, width, rank);
  const back_HR = new Float32Array(width * rank);
  for (let r = 0; r < rank; r++)
    for (let i = 0; i < width; i++) {
      back_HR[i * rank + r] = into_RH[r * width + i]! * spread_R[r]!;
      into_RH[r * width + i]! /= spread_R[r]!;
    }
  return { into_RH, back_HR };
}

/** Some rows from all over the table. */
async function sampled(weight: Table['weight'], rows: number, width: number, signal?: AbortSignal): Promise<Float32Array> {
  const [count, step] = [Math.min(rows, SAMPLED), 64];
  const into = new Float32Array(count * width);
  for (let at = 0; at < count; at += step) {
    const from = Math.floor((at / count) * rows);
    const some = Math.min(step, count - at, rows - from);
    into.set(await floatsOf(weight, from * width, (from + some) * width, signal), at * width);
  }
  return into;
}

/** The root of the mean square of each narrow column; 1 for one of zeros. */
async function spreads(values: Float32Array, into_RH: Float32Array, width: number, rank: number): Promise<Float64Array> {
  const rows = { values, count: values.length / width, vectorStride: width, elementStride: 1 };
  const columns = { values: into_RH, count: rank, vectorStride: width, elementStride: 1 };
  const narrow = await products(rows, columns, width, new Float32Array(rows.count * rank));
  const squares = new Float64Array(rank);
  for (let i = 0; i < narrow.length; i++) squares[i % rank]! += narrow[i]! ** 2;
  return squares.map(square => Math.sqrt(square / rows.count) || 1);
}
