import { sentence } from '../../errors.ts';
import { bestOf, normalizedAnswer } from './answers.ts';
import type { QuestionMetric } from './metric.ts';

/** F1 over the words that an answer shares with the right one, mean over questions. source  Rajpurkar et al. 2016, SQuAD */
export const spanF1: QuestionMetric = {
  id: 'span-f1',
  title: sentence('F1 of answers'),
  kind: 'question-answering',
  usual: true,
  of: bestOf((predicted, right) => {
    const [found, wanted] = [wordsOf(predicted), wordsOf(right)];
    // Without words on one side there is nothing to share (SQuAD 2.0).
    if (found.length === 0 || wanted.length === 0) return Number(found.length === wanted.length);
    const left = [...wanted];
    const shared = found.filter(word => {
      const at = left.indexOf(word);
      if (at >= 0) left.splice(at, 1);
      return at >= 0;
    }).length;
    return (2 * shared) / (found.length + wanted.length);
  }),
};

const wordsOf = (text: string): string[] => normalizedAnswer(text).split(' ').filter(Boolean);
