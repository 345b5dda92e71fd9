import type { Family } from './family.ts';

/** DistilBERT's layer organ -> BERT's. */
const organs: Readonly<Record<string, string>> = {
  'attention.q_lin': 'attention.self.query',
  'attention.k_lin': 'attention.self.key',
  'attention.v_lin': 'attention.self.value',
  'attention.out_lin': 'attention.output.dense',
  sa_layer_norm: 'attention.output.LayerNorm',
  'ffn.lin1': 'intermediate.dense',
  'ffn.lin2': 'output.dense',
  output_layer_norm: 'output.LayerNorm',
};

/** No token types, no pooler, words of its own. */
export const distilbert: Family = {
  id: 'distilbert',
  alike: [],
  base: 'distilbert.',
  query: /^(.*?)transformer\.layer\.\d+\.attention\.q_lin\.weight$/,
  organ(path) {
    if (/^embeddings\.(word_embeddings|position_embeddings|LayerNorm)$/.test(path)) return path;
    if (path === 'transformer.widening') return 'encoder.widening';
    const [, layer, organ = ''] = path.match(/^transformer\.layer\.(\d+)\.(.+)$/) ?? [];
    const known = organs[organ] ?? (organ.endsWith('output.skip') ? organ : undefined);
    return layer !== undefined && known ? `encoder.layer.${layer}.${known}` : undefined;
  },
  tells: () => true,
  decoder: 'vocab_projector',
};
