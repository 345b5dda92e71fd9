import type { Family } from './family.ts';

const organs =
  /^(embeddings\.(word_embeddings|position_embeddings|token_type_embeddings|LayerNorm)|encoder\.layer\.\d+\.(attention\.self\.(query|key|value)|(attention\.output|output)\.(dense|LayerNorm)|intermediate\.dense))$/;

/** BERT's own names are the ones every other family is mapped to. */
export const bertOrgan = (path: string): string | undefined => (organs.test(path) ? path : undefined);

export const bertQuery = /^(.*?)encoder\.layer\.\d+\.attention\.self\.query\.weight$/;

export const bert: Family = {
  id: 'bert',
  alike: ['nezha', 'ernie', 'megatron-bert'],
  base: 'bert.',
  query: bertQuery,
  organ: bertOrgan,
  tells: () => true,
  decoder: 'cls.predictions.decoder',
};
