import { sentence } from '../../errors.ts';
import type { QualityMetric } from './metric.ts';

export const accuracy: QualityMetric = {
  id: 'accuracy',
  title: sentence('Accuracy'),
  kind: 'classification',
  usual: true,
  of: (predicted, expected) => predicted.filter((label, index) => label === expected[index]).length / expected.length,
};
