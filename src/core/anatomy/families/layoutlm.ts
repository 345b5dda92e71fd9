import { bert, bertOrgan } from './bert.ts';
import type { Family } from './family.ts';

/** BERT's names, with tables for the places of words on a page. */
export const layoutlm: Family = {
  ...bert,
  id: 'layoutlm',
  alike: [],
  base: 'layoutlm.',
  tells: paths => paths.has('embeddings.x_position_embeddings'),
};

/** The text and the picture of a page in one encoder. What reads the picture stands with the embeddings. */
export const layoutlmv3: Family = {
  ...layoutlm,
  id: 'layoutlmv3',
  base: 'layoutlmv3.',
  organ: path =>
    /^(cls_token|pos_embed|patch_embed\.proj|norm|LayerNorm)$/.test(path) ? `embeddings.visual.${path}` : bertOrgan(path),
  tells: paths => paths.has('embeddings.visual.patch_embed.proj'),
  head: /^qa_outputs\./,
};
