import { sentence } from '../../errors.ts';
import { argmax } from '../outputs.ts';
import type { DriftMetric } from './metric.ts';
import { predictions } from './predictions.ts';

/** The share of predictions whose most likely class is the same. */
export const agreement: DriftMetric = {
  id: 'agreement',
  title: sentence('Same prediction'),
  neutral: 1,
  of: (before, after) => predictions(before, after).map(([p, q]) => (argmax(p) === argmax(q) ? 1 : 0)),
};
