import { bertOrgan, bertQuery } from './bert.ts';
import type { Family } from './family.ts';

/** BERT's names; one token type, positions that start behind the padding index, and heads of its own. */
export const roberta: Family = {
  id: 'roberta',
  alike: ['data2vec-text'],
  base: 'roberta.',
  query: bertQuery,
  organ: bertOrgan,
  tells: (paths, tensors) =>
    [...paths].some(path => path.startsWith('lm_head') || path === 'classifier.out_proj') ||
    [...tensors].some(([name, { shape }]) => name.endsWith('embeddings.token_type_embeddings.weight') && shape[0] === 1),
  decoder: 'lm_head.decoder',
  unpooled: 'classifier.dense',
};

/** Does the word table have this many rows? Families that differ in nothing but their vocabulary are told by it. */
export const hasVocabulary = (tensors: Parameters<Family['tells']>[1], rows: number): boolean =>
  [...tensors].some(([name, { shape }]) => name.endsWith('word_embeddings.weight') && shape[0] === rows);
