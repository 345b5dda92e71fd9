import { sentence } from '../../errors.ts';
import type { QualityMetric } from './metric.ts';

/** Of class 1 where there are no more than two classes; else the mean over the classes that occur, each counting the same (macro). */
export const f1: QualityMetric = {
  id: 'f1',
  title: sentence('F1'),
  kind: 'classification',
  usual: true,
  of(predicted, expected) {
    const occurring = [...new Set([...predicted, ...expected])];
    const counted = occurring.every(label => label < 2) && occurring.includes(1) ? [1] : occurring;
    return counted.reduce((sum, label) => sum + f1Of(label, predicted, expected), 0) / counted.length;
  },
};

function f1Of(label: number, predicted: readonly number[], expected: readonly number[]): number {
  const right = predicted.filter((it, index) => it === label && expected[index] === label).length;
  const claimed = predicted.filter(it => it === label).length + expected.filter(it => it === label).length;
  return claimed === 0 ? 0 : (2 * right) / claimed;
}
