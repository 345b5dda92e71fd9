import { sentence } from '../errors.ts';
import { definePass } from './pass.ts';
import { planBudget } from './prune/budget/plan-budget.ts';
import { choosingFields } from './prune/fields.ts';

export const pruneToBudget = definePass({
  id: 'prune-to-budget',
  title: sentence('Prune heads and neurons to a budget'),
  summary: sentence(
    'Remove heads and neurons until a share of the layers’ parameters, products or time is left: most where the whole model loses least.',
  ),
  source:
    'Kurtic et al., ZipLM, NeurIPS 2023 (levels of each part, a budget over all); Kwon et al., A Fast Post-Training Pruning Framework for Transformers, NeurIPS 2022 (heads beside neurons, measured latency)',
  needs: ['weights'],
  fields: {
    keep: {
      kind: 'number',
      label: sentence('Share to keep'),
      help: sentence('Of what the layers cost, 0 to 1.'),
      default: null,
      min: 0.05,
      max: 1,
    },
    of: {
      kind: 'choice',
      label: sentence('Counted in'),
      help: sentence('What the budget is a share of.'),
      default: 'parameters',
      choices: [
        { value: 'parameters', hint: sentence('Numbers in the layers, exact.') },
        {
          value: 'multiply-adds',
          hint: sentence('Multiplications with an addition of the layers for a text of this length, exact.'),
        },
        {
          value: 'latency',
          hint: sentence('Time of the whole model on this machine, measured: another may choose other units.'),
        },
      ],
    },
    length: {
      kind: 'number',
      label: sentence('Length'),
      help: sentence('Tokens of the text that is counted or timed.'),
      default: 128,
      min: 1,
      max: 8192,
      step: 1,
      when: { of: ['multiply-adds', 'latency'] },
    },
    batch: {
      kind: 'number',
      label: sentence('Batch'),
      help: sentence('Texts that are timed together.'),
      default: 8,
      min: 1,
      max: 256,
      step: 1,
      when: { of: ['latency'] },
    },
    heads: {
      kind: 'units',
      label: sentence('Remove these heads'),
      help: sentence(
        'Instead of a share: heads of each layer, both counted from 0. They are repaired together with the neurons.',
      ),
      default: {},
    },
    neurons: {
      kind: 'units',
      label: sentence('Remove these neurons'),
      help: sentence('Instead of a share: neurons of each layer, both counted from 0.'),
      default: {},
    },
    ...choosingFields,
  },
  suggestions: [{ keep: 0.75 }, { keep: 0.5 }],
  plan: planBudget,
});
