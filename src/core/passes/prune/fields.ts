import { sentence } from '../../errors.ts';
import type { Field } from '../pass.ts';

/** How many units go, which ones, and what is done about it: the same for heads and neurons. */
export const budgetFields = {
  fraction: {
    kind: 'number',
    label: sentence('Share to remove'),
    help: sentence('Of all in the model, 0 to 1, instead of a list. It is spent where it costs least.'),
    default: null,
    min: 0,
    max: 0.95,
  },
  by: {
    kind: 'choice',
    label: sentence('Chosen by'),
    help: sentence('What says how much one is worth.'),
    default: 'magnitude',
    choices: [{ value: 'magnitude', hint: sentence('The size of its weights: needs no text, and is a poor guide.') }],
  },
  repair: {
    kind: 'choice',
    label: sentence('Repair'),
    help: sentence('What is done about the loss, without training.'),
    default: 'none',
    choices: [{ value: 'none', hint: sentence('Nothing: the outputs are those of the model with these units masked.') }],
  },
} as const satisfies Record<string, Field>;
