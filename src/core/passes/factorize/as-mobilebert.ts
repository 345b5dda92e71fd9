import type { Anatomy } from '../../anatomy/anatomy.ts';
import type { Model } from '../../model/model.ts';

/** Tasks whose heads MobileBERT's classes have as BERT's do; its masked-language head keeps a matrix of [V, H - E] beside. */
const alike = new Set(['base', 'sequence-classification', 'token-classification', 'question-answering']);

/** Would the factored checkpoint be a MobileBERT that is stock and exact? */
export const isMobilebert = ({ config }: Model, { family, task, layers, top }: Anatomy): boolean =>
  family === 'bert' &&
  alike.has(task) &&
  config.model_type === 'bert' &&
  (config.position_embedding_type ?? 'absolute') === 'absolute' &&
  (config.hidden_act ?? 'gelu') === 'gelu' &&
  top.every(({ tensor }) => !tensor) &&
  layers.every(({ up, heads, query }) => up.out === layers[0]!.up.out && heads === layers[0]!.heads && query.out === query.in);
