import { sentence } from '../errors.ts';
import { definePass } from './pass.ts';
import { repairFields } from './prune/fields.ts';
import { planLayers } from './prune/plan-layers.ts';

export const pruneLayers = definePass({
  id: 'prune-layers',
  title: sentence('Prune layers'),
  summary: sentence('Remove whole layers: what the one below gives is what the one above reads.'),
  source:
    'Sajjad et al., On the Effect of Dropping Layers of Pre-trained Transformer Models, CSL 2023; influence: Men et al., ShortGPT, 2024',
  needs: ['weights'],
  fields: {
    remove: {
      kind: 'integers',
      label: sentence('Remove these'),
      help: sentence('Layers, counted from 0.'),
      default: [],
    },
    keep: {
      kind: 'integers',
      label: sentence('Keep only these'),
      help: sentence('Layers, counted from 0.'),
      default: [],
    },
    count: {
      kind: 'number',
      label: sentence('How many to remove'),
      help: sentence('Instead of a list.'),
      default: null,
      min: 1,
      max: 1000,
      step: 1,
    },
    by: {
      kind: 'choice',
      label: sentence('Chosen by'),
      help: sentence('What says how much one is worth.'),
      default: 'auto',
      choices: [
        { value: 'auto', hint: sentence('By agreement where there is text, by position where there is none.') },
        { value: 'position', hint: sentence('Where it stands: needs no text.') },
        { value: 'influence', hint: sentence('How far it turns the hidden state of a token, on the text.') },
        {
          value: 'agreement',
          hint: sentence('How near the vectors of the text stay to the original’s: every subset is tried where there are few.'),
        },
      ],
    },
    position: {
      kind: 'choice',
      label: sentence('Position'),
      help: sentence('Which layers go when they are chosen by position.'),
      default: 'every-other',
      choices: [
        { value: 'every-other', hint: sentence('Every other one, from the last but one down.') },
        { value: 'top', hint: sentence('The last ones.') },
        { value: 'bottom', hint: sentence('The first ones.') },
      ],
      when: { by: ['auto', 'position'] },
    },
    ...repairFields,
    repair: {
      ...repairFields.repair,
      choices: [
        { value: 'auto', hint: sentence('Least squares where there is text, nothing where there is none.') },
        { value: 'none', hint: sentence('Nothing: the other layers stay as they are.') },
        {
          value: 'least-squares',
          hint: sentence('The layers that stay are refitted: before a gap, to what the next one was given in the original.'),
        },
      ],
    },
  },
  suggestions: [{ count: 1 }],
  plan: planLayers,
});
