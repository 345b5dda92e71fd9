import { electra } from './electra.ts';
import type { Family } from './family.ts';

/** BERT's names and ELECTRA's projection; positions are a table of angles that the encoder holds. */
export const roformer: Family = {
  ...electra,
  id: 'roformer',
  base: 'roformer.',
  tells: paths => paths.has('encoder.embed_positions'),
  decoder: 'cls.predictions.decoder',
};
