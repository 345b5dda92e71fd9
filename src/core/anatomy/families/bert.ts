import { type Family, layerOrgan } from './family.ts';

/** Where jina-embeddings-v2, which calls itself a BERT, has other names: its feed-forward network has a gate, and the gate comes first. */
const organs: Readonly<Record<string, string>> = {
  'mlp.gated_layers': 'intermediate.gate_up',
  'mlp.wo': 'output.dense',
  'mlp.layernorm': 'output.LayerNorm',
};

/** BERT's own names are the ones every other family is mapped to; what else stands in embeddings and encoder is an organ of its own. */
export const bertOrgan = (path: string): string | undefined =>
  layerOrgan(path, /^encoder\.layer\.(\d+)\./, organs) ?? (/^(embeddings|encoder)\../.test(path) ? path : embeddingsBeside(path));

/** Embeddings of something else than words: of entities (LUKE), of places on a page (LiLT, BROS). */
const embeddingsBeside = (path: string): string | undefined =>
  /^\w+_embeddings\../.test(path) ? `embeddings.${path}` : undefined;

export const bertQuery = /^(.*?)encoder\.layer\.\d+\.attention\.self\.query\.weight$/;

export const bert: Family = {
  id: 'bert',
  alike: ['nezha', 'big_bird'],
  base: 'bert.',
  query: bertQuery,
  organ: bertOrgan,
  tells: () => true,
  decoder: 'cls.predictions.decoder',
};
