import { bertOrgan } from './bert.ts';
import { type Family, layerOrgan } from './family.ts';

/** DeBERTa's layer organ -> BERT's. */
const organs: Readonly<Record<string, string>> = { 'attention.self.in_proj': 'attention.self.query_key_value' };

/**
 * Query, key and value in one matrix, head by head, with biases of their own for query and value; projections of relative positions
 * beside. source: He et al., DeBERTa, ICLR 2021; transformers, DisentangledSelfAttention.
 */
export const deberta: Family = {
  id: 'deberta',
  alike: [],
  base: 'deberta.',
  query: /^(.*?)encoder\.layer\.\d+\.attention\.self\.in_proj\.weight$/,
  organ: path => layerOrgan(path, /^encoder\.layer\.(\d+)\./, organs) ?? bertOrgan(path),
  tells: () => true,
  projection: 'embeddings.embed_proj',
  decoder: 'cls.predictions.decoder',
  head: /^lm_predictions\.|^mask_predictions\./,
  fusedByHead: true,
};
