import { type Family, layerOrgan } from './family.ts';

/** The layer organs of a Llama -> BERT's. Norms stand before what they are named for. */
const organs: Readonly<Record<string, string>> = {
  'self_attn.q_proj': 'attention.self.query',
  'self_attn.k_proj': 'attention.self.key',
  'self_attn.v_proj': 'attention.self.value',
  'self_attn.o_proj': 'attention.output.dense',
  input_layernorm: 'attention.output.LayerNorm',
  'mlp.up_proj': 'intermediate.dense',
  'mlp.gate_proj': 'intermediate.gate',
  'mlp.down_proj': 'output.dense',
  post_attention_layernorm: 'output.LayerNorm',
};

const others: Readonly<Record<string, string>> = { embed_tokens: 'embeddings.word_embeddings', norm: 'encoder.final_norm' };

/** The names of a Llama, read both ways: only config.json tells it from a decoder. */
export const eurobert: Family = {
  id: 'eurobert',
  alike: [],
  base: 'model.',
  query: /^(.*?)layers\.\d+\.self_attn\.q_proj\.weight$/,
  organ: path => (Object.hasOwn(others, path) ? others[path] : layerOrgan(path, /^layers\.(\d+)\./, organs)),
  tells: () => false,
  decoder: 'lm_head',
  head: /^dense$/,
};
