import type { Gram } from '../../kernels/gram.ts';
import type { Acting } from '../acting.ts';
import { type Pace, runsOf } from './matrix.ts';

/** Elements of a column summed between two pauses: with 768 rows some 50 ms. */
const BAND = 256;

/** Multiplications that the Gram matrix of one side takes for so many elements of the matrix: only its lower triangle is kept. */
export const gramWork = (side: number, elements: number): number => (side * elements) / 2;

/**
 * Sums the Gram matrix of the stored columns, or of the stored rows, of a matrix as it acts.
 * Columns stream; rows meet all others, so the matrix is held: it has at most MOST_HELD elements then.
 */
export async function gramOf(
  gram: Gram,
  matrix: Acting,
  side: 'rows' | 'columns',
  { signal, pause, done }: Omit<Pace, 'done'> & { done(work: number): void },
): Promise<void> {
  const { rows, columns } = matrix;
  if (side === 'columns') {
    gram.start(columns);
    for await (const { first, last, values_RC } of runsOf(matrix, { signal, pause })) {
      gram.add(values_RC, last - first, 1, columns);
      done(gramWork(columns, values_RC.length));
    }
    return;
  }
  gram.start(rows);
  const whole_RC = await matrix.rowsOf(0, rows, signal);
  for (let from = 0; from < columns; from += BAND) {
    await pause();
    const count = Math.min(BAND, columns - from);
    gram.add(whole_RC.subarray(from), count, columns, 1);
    done(gramWork(rows, rows * count));
  }
}
