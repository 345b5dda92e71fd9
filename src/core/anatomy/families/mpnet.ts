import { bertOrgan } from './bert.ts';
import { type Family, layerOrgan } from './family.ts';

/** MPNet's layer organ -> BERT's. */
const organs: Readonly<Record<string, string>> = {
  'attention.attn.q': 'attention.self.query',
  'attention.attn.k': 'attention.self.key',
  'attention.attn.v': 'attention.self.value',
  'attention.attn.o': 'attention.output.dense',
  'attention.LayerNorm': 'attention.output.LayerNorm',
};

/** One table of relative positions for all layers; no token types. */
export const mpnet: Family = {
  id: 'mpnet',
  alike: [],
  base: 'mpnet.',
  query: /^(.*?)encoder\.layer\.\d+\.attention\.attn\.q\.weight$/,
  organ: path => layerOrgan(path, /^encoder\.layer\.(\d+)\./, organs) ?? bertOrgan(path),
  tells: () => true,
  decoder: 'lm_head.decoder',
  unpooled: 'classifier.dense',
};
