import { throwIfCancelled } from '../errors.ts';
import { RUN } from '../kernels/floats.ts';
import type { Acting } from './acting.ts';

/** Columns [first, last) of a matrix, turned into rows of `band_RC`. */
export async function gatherBand(
  from: Acting,
  first: number,
  last: number,
  band_RC: Float32Array,
  signal?: AbortSignal,
): Promise<void> {
  const step = Math.max(1, Math.floor(RUN / from.columns));
  for (let top = 0; top < from.rows; top += step) {
    throwIfCancelled(signal);
    const bottom = Math.min(from.rows, top + step);
    const values = await from.rowsOf(top, bottom, signal);
    for (let r = top; r < bottom; r++)
      for (let c = first; c < last; c++) band_RC[(c - first) * from.rows + r] = values[(r - top) * from.columns + c]!;
  }
}

/** The same matrix as if it were stored the other way; every run of its rows reads all of it. */
export function turnedActing(matrix: Acting): Acting {
  const { rows, columns, transposed } = matrix;
  return {
    rows: columns,
    columns: rows,
    transposed: !transposed,
    rowsOf: async (first, last, signal) => {
      const band = new Float32Array((last - first) * rows);
      await gatherBand(matrix, first, last, band, signal);
      return band;
    },
  };
}
