import { sentence } from '../../errors.ts';
import type { QualityMetric } from './metric.ts';

/** The Matthews correlation over any number of classes. source  Gorodkin 2004, R_K. NaN where one side is constant. */
export const matthews: QualityMetric = {
  id: 'matthews',
  title: sentence('Matthews correlation'),
  kind: 'classification',
  usual: true,
  of(predicted, expected) {
    const total = expected.length;
    const count = (labels: readonly number[], label: number) => labels.filter(it => it === label).length;
    const right = predicted.filter((label, index) => label === expected[index]).length;
    let [both, ofPredicted, ofExpected] = [0, 0, 0];
    for (const label of new Set([...predicted, ...expected])) {
      const [p, t] = [count(predicted, label), count(expected, label)];
      both += p * t;
      ofPredicted += p * p;
      ofExpected += t * t;
    }
    return (right * total - both) / Math.sqrt((total ** 2 - ofPredicted) * (total ** 2 - ofExpected));
  },
};
