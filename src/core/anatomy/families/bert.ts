import type { Family } from './family.ts';

/** BERT's own names are the ones every other family is mapped to; what else stands in embeddings and encoder is an organ of its own. */
export const bertOrgan = (path: string): string | undefined => (/^(embeddings|encoder)\../.test(path) ? path : undefined);

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
