import { accuracy } from './accuracy.ts';
import { agreement } from './agreement.ts';
import { cosine } from './cosine.ts';
import { divergence } from './divergence.ts';
import { f1 } from './f1.ts';
import { largestDifference } from './largest-difference.ts';
import { matthews } from './matthews.ts';
import type { DriftMetric, QualityMetric } from './metric.ts';
import { pearson } from './pearson.ts';
import { spearman } from './spearman.ts';

export const driftMetrics: readonly DriftMetric[] = [cosine, largestDifference, divergence, agreement];
export const qualityMetrics: readonly QualityMetric[] = [spearman, pearson, accuracy, f1, matthews];
