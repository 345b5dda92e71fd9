import { sentence } from '../errors.ts';
import { definePass } from './pass.ts';
import { choosingFields, fraction } from './prune/fields.ts';
import { planHeads } from './prune/plan-heads.ts';

export const pruneHeads = definePass({
  id: 'prune-heads',
  title: sentence('Prune heads'),
  summary: sentence('Remove attention heads: their rows of query, key and value, and their columns of the output projection.'),
  source:
    'Michel et al., Are Sixteen Heads Really Better than One?, NeurIPS 2019; removal costs: Kurtic et al., ZipLM, NeurIPS 2023; refit: Park et al., K-prune, ICLR 2024',
  needs: ['weights'],
  fields: {
    remove: {
      kind: 'units',
      label: sentence('Remove these'),
      help: sentence('Heads of each layer, both counted from 0.'),
      default: {},
    },
    fraction,
    ...choosingFields,
  },
  suggestions: [{ fraction: 0.25 }, { fraction: 0.5 }],
  plan: planHeads,
});
