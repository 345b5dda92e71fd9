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
      const [logP, logQ] = [logSoftmax(p), logSoftmax(q)];
      let sum = 0;
      for (let k = 0; k < logP.length; k++) sum += Math.exp(logP[k]!) * (logP[k]! - logQ[k]!);
      return Math.max(0, sum);
    }),
};

function logSoftmax(row: Float32Array): Float64Array {
  const largest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const total = row.reduce((sum, value) => sum + Math.exp(value - largest), 0);
  return Float64Array.from(row, value => value - largest - Math.log(total));
}
