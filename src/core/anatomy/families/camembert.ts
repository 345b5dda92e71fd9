import type { Family } from './family.ts';
import { hasVocabulary, roberta } from './roberta.ts';

/** RoBERTa in French; its encoder is called "roberta" too. */
export const camembert: Family = {
  ...roberta,
  id: 'camembert',
  alike: [],
  tells: (paths, tensors) => roberta.tells(paths, tensors) && hasVocabulary(tensors, 32_005),
};
