import { sentence } from '../../errors.ts';
import type { DriftMetric } from './metric.ts';
import { predictions } from './predictions.ts';

/** Kullback-Leibler divergence of the predicted distributions, before from after, in nats: sum of p * log(p / q), p and q by softmax. */
export const divergence: DriftMetric = {
  id: 'kl',
  title: sentence('KL divergence of predictions'),
  neutral: 0,
  of: (before, after) =>
    predictions(before, after).map(([p, q]) => {
      const [totalP, totalQ] = [logTotal(p), logTotal(q)];
      let sum = 0;
      for (let k = 0; k < p.length; k++) {
        const [logP, logQ] = [p[k]! - totalP, q[k]! - totalQ];
        sum += Math.exp(logP) * (logP - logQ);
      }
      return Math.max(0, sum);
    }),
};

/** The logarithm of the sum of exponentials: what a logit is less, as a log-probability. */
export function logTotal(row: Float32Array): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < row.length; k++) if (!(row[k]! <= largest)) largest = row[k]!;
  let sum = 0;
  for (let k = 0; k < row.length; k++) sum += Math.exp(row[k]! - largest);
  return largest + Math.log(sum);
}
