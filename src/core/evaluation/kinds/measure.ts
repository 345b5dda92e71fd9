import type { QualityMetric } from '../metrics/metric.ts';
import type { MetricValue } from '../report.ts';

/** The metrics that the task asks for, in points of 100. */
export function measure<Predicted, Expected>(
  metrics: readonly QualityMetric<Predicted, Expected>[],
  asked: readonly string[],
  predicted: readonly Predicted[],
  expected: readonly Expected[],
): MetricValue[] {
  return metrics
    .filter(({ id }) => asked.includes(id))
    .map(metric => {
      const value = 100 * metric.of(predicted, expected);
      return { name: metric.id, value: Number.isFinite(value) ? value : null, count: expected.length };
    });
}
