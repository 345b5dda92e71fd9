import { sentence } from '../errors.ts';
import { definePass } from './pass.ts';
import { choosingFields, fraction } from './prune/fields.ts';
import { planNeurons } from './prune/plan-neurons.ts';

export const pruneNeurons = definePass({
  id: 'prune-neurons',
  title: sentence('Prune neurons'),
  summary: sentence('Make feed-forward networks narrower: rows of the first matrix go, and columns of the second.'),
  source:
    'McCarley et al., Structured Pruning of a BERT-based Question Answering Model, 2019; Kurtic et al., ZipLM, NeurIPS 2023',
  needs: ['weights'],
  fields: {
    remove: {
      kind: 'units',
      label: sentence('Remove these'),
      help: sentence('Neurons of each layer, both counted from 0.'),
      default: {},
    },
    keep: {
      kind: 'units',
      label: sentence('Keep only these'),
      help: sentence('Neurons of each layer; layers that are not named keep all.'),
      default: {},
    },
    fraction,
    ...choosingFields,
  },
  suggestions: [{ fraction: 0.25 }, { fraction: 0.5 }],
  plan: planNeurons,
});
