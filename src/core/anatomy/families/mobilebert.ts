import { bert } from './bert.ts';
import { count, type Family } from './family.ts';

/**
 * BERT's names; each layer works between two bottlenecks, with several feed-forward networks, and three neighbouring words are
 * transformed into one embedding. source: Sun et al., MobileBERT, ACL 2020.
 */
export const mobilebert: Family = {
  ...bert,
  id: 'mobilebert',
  alike: [],
  base: 'mobilebert.',
  tells: paths => paths.has('embeddings.embedding_transformation'),
  projection: 'embeddings.embedding_transformation',
  headWidth(config) {
    const heads = count(config, 'num_attention_heads') ?? 4;
    const width =
      config.use_bottleneck === false ? count(config, 'hidden_size') : (count(config, 'intra_bottleneck_size') ?? 128);
    return width && width / heads;
  },
};
