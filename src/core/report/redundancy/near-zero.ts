import type { Acting } from '../acting.ts';
import { type Pace, runsOf } from './matrix.ts';

/** Of a matrix's standard deviation: a weight below it changes an output by less than a hundredth of what a usual one does. */
const SHARE = 0.01;

/** How many values of a matrix are smaller in magnitude than 1 % of its standard deviation; zeros always are. Reads it twice. */
export async function nearZero(matrix: Acting, pace: Pace): Promise<number> {
  let [sum, squares] = [0, 0];
  for await (const { values_RC } of runsOf(matrix, pace))
    for (const value of values_RC) {
      sum += value;
      squares += value * value;
    }
  const count = matrix.rows * matrix.columns;
  const mean = sum / count;
  const limit = SHARE * Math.sqrt(Math.max(0, squares / count - mean * mean));
  let near = 0;
  for await (const { values_RC } of runsOf(matrix, pace))
    for (const value of values_RC) if (Math.abs(value) < limit || value === 0) near++;
  return near;
}
