import { sentence } from '../errors.ts';
import { definePass } from './pass.ts';
import { fraction, repairFields } from './prune/fields.ts';
import { planHidden } from './prune/hidden/plan.ts';

export const pruneHidden = definePass({
  id: 'prune-hidden',
  title: sentence('Prune hidden size'),
  summary: sentence(
    'Turn the hidden states so that few dimensions hold most of them, and cut the others from every table and matrix.',
  ),
  source:
    'Ashkboos et al., SliceGPT, ICLR 2024, for norms behind the halves: a rotation and a matrix on the way around each half; refit by least squares as in K-prune, ICLR 2024',
  needs: ['weights'],
  fields: {
    hidden: {
      kind: 'number',
      label: sentence('Hidden size'),
      help: sentence(
        'How many numbers of a hidden state stay. Each half of a layer gains a matrix of this size squared, so small cuts save little.',
      ),
      default: null,
      min: 2,
      max: 65_536,
      step: 1,
    },
    fraction: { ...fraction, help: sentence('Of the hidden dimensions, 0 to 1, instead of a size.') },
    by: {
      kind: 'choice',
      label: sentence('Chosen by'),
      help: sentence('Which dimensions stay.'),
      default: 'pca',
      choices: [
        { value: 'pca', hint: sentence('The directions in which hidden states lie on the text: much closer to the original.') },
        { value: 'magnitude', hint: sentence('The channels with the largest weights: needs no text, and loses much.') },
      ],
    },
    ...repairFields,
    repair: {
      ...repairFields.repair,
      choices: [
        { value: 'auto', hint: sentence('Least squares where there is text, nothing where there is none.') },
        { value: 'none', hint: sentence('Nothing: what is cut is gone.') },
        { value: 'bias', hint: sentence('The mean of what is cut goes into the biases that follow it.') },
        {
          value: 'least-squares',
          hint: sentence('Half by half, the matrices are refitted so that the narrow states say what the wide ones did.'),
        },
      ],
    },
  },
  suggestions: [{ fraction: 0.25 }, { fraction: 0.5 }],
  plan: planHidden,
});
