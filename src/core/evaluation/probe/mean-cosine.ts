import { cosineOf } from '../metrics/cosine.ts';
import type { TokenRows } from './run-states.ts';

/** Mean over tokens of the cosine of two rows. */
export function meanCosine(a: TokenRows, b: TokenRows): number {
  let sum = 0;
  for (let t = 0; t < a.tokens; t++)
    sum += cosineOf(a.rows_TC.subarray(t * a.width, (t + 1) * a.width), b.rows_TC.subarray(t * b.width, (t + 1) * b.width));
  return sum / a.tokens;
}
