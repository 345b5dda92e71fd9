import { bert } from './bert.ts';
import type { Family } from './family.ts';

/** BERT's names; narrow embeddings are projected inside the encoder, and the decoder is not the word table. */
export const rembert: Family = {
  ...bert,
  id: 'rembert',
  alike: [],
  base: 'rembert.',
  tells: paths => paths.has('encoder.embedding_hidden_mapping_in'),
  projection: 'encoder.embedding_hidden_mapping_in',
};
