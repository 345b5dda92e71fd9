import { bert } from './bert.ts';
import type { Family } from './family.ts';

/** BERT's names, with a table of tasks. */
export const ernie: Family = {
  ...bert,
  id: 'ernie',
  alike: [],
  base: 'ernie.',
  tells: (paths, tensors) =>
    paths.has('embeddings.task_type_embeddings') || [...tensors.keys()].some(name => name.startsWith('ernie.')),
};
