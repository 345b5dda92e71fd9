import { bert, bertOrgan } from './bert.ts';
import { type Family, layerOrgan } from './family.ts';
import { roberta } from './roberta.ts';

// BERT's and RoBERTa's names where norms stand before what they are named for, and one more behind the last layer.

const layer = /^encoder\.layer\.(\d+)\./;

const isFinal = (path: string) => (path === 'LayerNorm' ? 'encoder.LayerNorm' : bertOrgan(path));

/** Norms are called by several names; each is one that only these families have. */
const norms: Readonly<Record<string, string>> = {
  'attention.LayerNorm': 'attention.output.LayerNorm',
  'attention.self_attn_layer_norm': 'attention.output.LayerNorm',
  'attention.ln': 'attention.output.LayerNorm',
  'intermediate.LayerNorm': 'output.LayerNorm',
  LayerNorm: 'output.LayerNorm',
  ln: 'output.LayerNorm',
};

const organ = (path: string) => layerOrgan(path, layer, norms) ?? isFinal(path);

const hasNorm = (name: string) => (paths: ReadonlySet<string>) => paths.has(name);

export const robertaPreLayerNorm: Family = {
  ...roberta,
  id: 'roberta-prelayernorm',
  alike: ['xlm-roberta-xl'],
  base: 'roberta_prelayernorm.',
  organ,
  tells: hasNorm('encoder.LayerNorm'),
};

export const megatronBert: Family = { ...bert, id: 'megatron-bert', alike: [], organ, tells: hasNorm('encoder.ln') };

/** A BERT of proteins, with a head that predicts contacts from attention. */
export const esm: Family = {
  ...roberta,
  id: 'esm',
  alike: [],
  base: 'esm.',
  organ,
  tells: hasNorm('encoder.emb_layer_norm_after'),
  head: /^contact_head\.regression$/,
};
