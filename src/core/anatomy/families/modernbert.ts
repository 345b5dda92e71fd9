import { type Family, layerOrgan } from './family.ts';

/** ModernBERT's layer organ -> BERT's. Norms stand before what they are named for; the first layer has none before attention. */
const organs: Readonly<Record<string, string>> = {
  'attn.Wqkv': 'attention.self.query_key_value',
  'attn.Wo': 'attention.output.dense',
  attn_norm: 'attention.output.LayerNorm',
  'mlp.Wi': 'intermediate.up_gate',
  'mlp.Wo': 'output.dense',
  mlp_norm: 'output.LayerNorm',
};

const others: Readonly<Record<string, string>> = {
  'embeddings.tok_embeddings': 'embeddings.word_embeddings',
  'embeddings.norm': 'embeddings.LayerNorm',
  final_norm: 'encoder.final_norm',
};

/** Rotary positions, gated feed-forward, query, key and value in one. source: Warner et al., ModernBERT, 2024. */
export const modernbert: Family = {
  id: 'modernbert',
  alike: ['modernbert-decoder'],
  base: 'model.',
  query: /^(.*?)(?<!encoder\.)layers\.\d+\.attn\.Wqkv\.weight$/,
  organ: path => (Object.hasOwn(others, path) ? others[path] : layerOrgan(path, /^layers\.(\d+)\./, organs)),
  tells: () => true,
  decoder: 'decoder',
  head: /^(head\.(dense|norm)|decoder|lm_head\.(dense|norm))$/,
};
