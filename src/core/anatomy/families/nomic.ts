import { bertOrgan } from './bert.ts';
import { type Family, layerOrgan } from './family.ts';

/** The layer organs of BERTs written for flash attention -> BERT's. A feed-forward network is fc1 and fc2, or fc11 gated by fc12 and fc2. */
const organs: Readonly<Record<string, string>> = {
  'attn.Wqkv': 'attention.self.query_key_value',
  'mixer.Wqkv': 'attention.self.query_key_value',
  'attn.out_proj': 'attention.output.dense',
  'mixer.out_proj': 'attention.output.dense',
  norm1: 'attention.output.LayerNorm',
  'mlp.fc1': 'intermediate.dense',
  'mlp.fc11': 'intermediate.dense',
  'mlp.fc12': 'intermediate.gate',
  'mlp.fc2': 'output.dense',
  norm2: 'output.LayerNorm',
};

/** nomic-embed: rotary positions, query, key and value in one. */
export const nomic: Family = {
  id: 'nomic_bert',
  alike: [],
  base: 'bert.',
  query: /^(.*?)encoder\.layers\.\d+\.(?:attn|mixer)\.Wqkv\.weight$/,
  organ: path =>
    path === 'emb_ln' ? 'embeddings.LayerNorm' : (layerOrgan(path, /^encoder\.layers\.(\d+)\./, organs) ?? bertOrgan(path)),
  tells: () => true,
  decoder: 'cls.predictions.decoder',
};

/** jina-embeddings-v3: the same with RoBERTa's heads. */
export const jinaV3: Family = {
  ...nomic,
  id: 'jina_embeddings_v3',
  alike: ['xlm-roberta-flash'],
  base: 'roberta.',
  tells: paths => paths.has('lm_head.dense') || paths.has('classifier.out_proj'),
  decoder: 'lm_head.decoder',
  unpooled: 'classifier.dense',
};
