import { sentence } from '../../errors.ts';
import type { DriftMetric } from './metric.ts';

/** Of every number of the output, over real tokens; of the pooled vectors where two tokenizers give different numbers of tokens. */
export const largestDifference: DriftMetric = {
  id: 'max-difference',
  title: sentence('Largest difference'),
  neutral: 0,
  of(before, after) {
    const [a, b] = before.values.length === after.values.length ? [before.values, after.values] : [before.vector, after.vector];
    if (a.length !== b.length) return [];
    let largest = 0;
    for (let i = 0; i < a.length; i++) {
      const difference = Math.abs(a[i]! - b[i]!);
      if (!(difference <= largest)) largest = difference;
      if (Number.isNaN(largest)) break;
    }
    return [largest];
  },
};
