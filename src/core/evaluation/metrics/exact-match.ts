import { sentence } from '../../errors.ts';
import { bestOf, normalizedAnswer } from './answers.ts';
import type { QuestionMetric } from './metric.ts';

/** The share of answers that are right to the letter, after SQuAD's normalisation. */
export const exactMatch: QuestionMetric = {
  id: 'exact-match',
  title: sentence('Exact match'),
  kind: 'question-answering',
  usual: true,
  of: bestOf((predicted, right) => Number(normalizedAnswer(predicted) === normalizedAnswer(right))),
};
