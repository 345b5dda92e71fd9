import { sentence } from '../../errors.ts';
import type { QualityMetric } from './metric.ts';

/** Linear correlation. NaN where one side is constant. */
export function pearsonOf(x: readonly number[], y: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const [dx, dy] = [x[i]! - mx, y[i]! - my];
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xy / Math.sqrt(xx * yy);
}

export const pearson: QualityMetric = {
  id: 'pearson',
  title: sentence('Pearson correlation'),
  kind: 'similarity',
  usual: true,
  of: pearsonOf,
};
