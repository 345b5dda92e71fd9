import { bertOrgan } from './bert.ts';
import { type Family, layerOrgan } from './family.ts';

/** The layer organs of gte's encoder -> BERT's. */
const organs: Readonly<Record<string, string>> = {
  'attention.qkv_proj': 'attention.self.query_key_value',
  'attention.o_proj': 'attention.output.dense',
  attn_ln: 'attention.output.LayerNorm',
  'mlp.up_gate_proj': 'intermediate.up_gate',
  'mlp.down_proj': 'output.dense',
  mlp_ln: 'output.LayerNorm',
};

/** gte's encoder, whose config.json calls it "new": rotary positions, everything that can be in one matrix is. */
export const gte: Family = {
  id: 'new',
  alike: ['gte'],
  base: 'new.',
  query: /^(.*?)encoder\.layer\.\d+\.attention\.qkv_proj\.weight$/,
  organ: path => layerOrgan(path, /^encoder\.layer\.(\d+)\./, organs) ?? bertOrgan(path),
  tells: () => true,
  decoder: 'lm_head.decoder',
};
