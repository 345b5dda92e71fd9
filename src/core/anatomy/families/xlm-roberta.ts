import type { Family } from './family.ts';
import { hasVocabulary, roberta } from './roberta.ts';

/** RoBERTa with a vocabulary for a hundred languages. */
export const xlmRoberta: Family = {
  ...roberta,
  id: 'xlm-roberta',
  alike: [],
  tells: (paths, tensors) => roberta.tells(paths, tensors) && hasVocabulary(tensors, 250_002),
};
