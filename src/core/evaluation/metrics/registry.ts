import { accuracy } from './accuracy.ts';
import { agreement } from './agreement.ts';
import { cosine } from './cosine.ts';
import { divergence } from './divergence.ts';
import { entityF1 } from './entity-f1.ts';
import { entityF1Strict } from './entity-f1-strict.ts';
import { exactMatch } from './exact-match.ts';
import { f1 } from './f1.ts';
import { largestDifference } from './largest-difference.ts';
import { matthews } from './matthews.ts';
import type { DriftMetric, EntityMetric, QualityMetric, QuestionMetric } from './metric.ts';
import { pearson } from './pearson.ts';
import { spanF1 } from './span-f1.ts';
import { spearman } from './spearman.ts';

export const driftMetrics: readonly DriftMetric[] = [cosine, largestDifference, divergence, agreement];

export const similarityMetrics: readonly QualityMetric[] = [spearman, pearson];
export const classificationMetrics: readonly QualityMetric[] = [accuracy, f1, matthews];
export const questionMetrics: readonly QuestionMetric[] = [spanF1, exactMatch];
export const entityMetrics: readonly EntityMetric[] = [entityF1, entityF1Strict];

/** What a task may ask for. */
export const metricsOfTasks: readonly Pick<QualityMetric, 'id' | 'kind' | 'usual'>[] = [
  ...similarityMetrics,
  ...classificationMetrics,
  ...questionMetrics,
  ...entityMetrics,
  { id: 'pseudo-perplexity', kind: 'masked-language', usual: true },
];
