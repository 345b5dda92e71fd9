import { bertOrgan } from './bert.ts';
import { type Family, layerOrgan } from './family.ts';

/** SqueezeBERT's layer organ -> BERT's. */
const organs: Readonly<Record<string, string>> = {
  'attention.query': 'attention.self.query',
  'attention.key': 'attention.self.key',
  'attention.value': 'attention.self.value',
  'post_attention.conv1d': 'attention.output.dense',
  'post_attention.layernorm': 'attention.output.LayerNorm',
  'intermediate.conv1d': 'intermediate.dense',
  'output.conv1d': 'output.dense',
  'output.layernorm': 'output.LayerNorm',
};

/** Every matrix of a layer is a convolution of width 1 with groups. source: Iandola et al., SqueezeBERT, 2020. */
export const squeezebert: Family = {
  id: 'squeezebert',
  alike: [],
  base: 'transformer.',
  query: /^(.*?)encoder\.layers\.\d+\.attention\.query\.weight$/,
  organ: path => layerOrgan(path, /^encoder\.layers\.(\d+)\./, organs) ?? bertOrgan(path),
  tells: () => true,
  decoder: 'cls.predictions.decoder',
};
