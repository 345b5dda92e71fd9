import { bertOrgan, bertQuery } from './bert.ts';
import type { Family } from './family.ts';

/** BERT's names; embeddings narrower than the hidden states are projected by `embeddings_project`. */
export const electra: Family = {
  id: 'electra',
  alike: [],
  base: 'electra.',
  query: bertQuery,
  organ: path => (path === 'embeddings_project' ? path : bertOrgan(path)),
  tells: paths =>
    ['embeddings_project', 'discriminator_predictions.dense', 'generator_predictions.dense'].some(path => paths.has(path)),
  projection: 'embeddings_project',
  decoder: 'generator_lm_head',
};
