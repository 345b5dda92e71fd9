import { sentence } from '../errors.ts';
import { definePass } from './pass.ts';
import { planShare } from './share/plan.ts';

export const shareLayers = definePass({
  id: 'share-layers',
  title: sentence('Share layers'),
  summary: sentence('Let groups of layers use one set of weights.'),
  source: 'Lan et al., ALBERT, ICLR 2020; basis: Wang et al., Basis Sharing, ICLR 2025',
  needs: ['weights'],
  fields: {
    groups: {
      kind: 'groups',
      label: sentence('Groups'),
      help: sentence('Layers that share, counted from 0: “0-2 3-5” is two groups of three.'),
      default: [],
    },
    size: {
      kind: 'number',
      label: sentence('Neighbours in a group'),
      help: sentence('Groups of so many layers, one behind the other, instead of a list.'),
      default: null,
      min: 1,
      max: 1000,
      step: 1,
    },
    method: {
      kind: 'choice',
      label: sentence('Method'),
      help: sentence('What the layers of a group share.'),
      default: 'mean',
      choices: [
        { value: 'mean', hint: sentence('Everything: the mean of their weights.') },
        {
          value: 'basis',
          hint: sentence('The inner factor of each matrix; each layer keeps an outer one of its own. ONNX only.'),
        },
      ],
    },
    ratio: {
      kind: 'number',
      label: sentence('Share of parameters'),
      help: sentence('That stays of the matrices of a group, 0 to 1.'),
      default: 0.6,
      min: 0.01,
      max: 0.99,
      when: { method: ['basis'] },
    },
  },
  suggestions: [{ size: 2 }],
  plan: planShare,
});
