import { bertOrgan } from './bert.ts';
import { type Family, layerOrgan } from './family.ts';

/** DeBERTa-v2's layer organ -> BERT's. */
const organs: Readonly<Record<string, string>> = {
  'attention.self.query_proj': 'attention.self.query',
  'attention.self.key_proj': 'attention.self.key',
  'attention.self.value_proj': 'attention.self.value',
};

/** DeBERTa v2 and v3: one table of relative positions for all layers with its own norm, a convolution behind the first layer. */
export const debertaV2: Family = {
  id: 'deberta-v2',
  alike: ['deberta-v3'],
  base: 'deberta.',
  query: /^(.*?)encoder\.layer\.\d+\.attention\.self\.query_proj\.weight$/,
  organ: path => layerOrgan(path, /^encoder\.layer\.(\d+)\./, organs) ?? bertOrgan(path),
  tells: () => true,
  projection: 'embeddings.embed_proj',
  decoder: 'cls.predictions.decoder',
  head: /^lm_predictions\.|^mask_predictions\./,
};
