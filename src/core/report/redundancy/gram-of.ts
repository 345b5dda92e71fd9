import type { Gram } from '../../kernels/gram.ts';
import type { Acting } from '../acting.ts';
import { MOST_HELD, type Pace, runsOf } from './matrix.ts';

/** Elements of a column summed between two pauses: with 768 rows some 50 ms. */
const BAND = 256;

/**
 * Sums the Gram matrix of the stored columns, or of the stored rows, of a matrix as it acts.
 * Columns stream; rows meet all others, so the matrix is held. false when it is too large for that.
 */
export async function gramOf(gram: Gram, matrix: Acting, side: 'rows' | 'columns', pace: Pace): Promise<boolean> {
  const { rows, columns } = matrix;
  if (side === 'columns') {
    gram.start(columns);
    for await (const { first, last, values_RC } of runsOf(matrix, pace)) gram.add(values_RC, last - first, 1, columns);
    return true;
  }
  if (rows * columns > MOST_HELD) return false;
  gram.start(rows);
  const whole_RC = await matrix.rowsOf(0, rows, pace.signal);
  for (let from = 0; from < columns; from += BAND) {
    await pace.pause();
    gram.add(whole_RC.subarray(from), Math.min(BAND, columns - from), columns, 1);
  }
  return true;
}
