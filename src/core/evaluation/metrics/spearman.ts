import { sentence } from '../../errors.ts';
import type { QualityMetric } from './metric.ts';
import { pearsonOf } from './pearson.ts';

/** Correlation of ranks; equal values share the mean of their ranks. */
export const spearman: QualityMetric = {
  id: 'spearman',
  title: sentence('Spearman correlation'),
  kind: 'similarity',
  usual: true,
  of: (predicted, expected) => pearsonOf(ranks(predicted), ranks(expected)),
};

function ranks(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).sort((a, b) => values[a]! - values[b]!);
  const found = new Array<number>(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let i = start; i < end; i++) found[order[i]!] = (start + end - 1) / 2;
    start = end;
  }
  return found;
}
