import { sentence } from '../../errors.ts';
import type { Field } from '../pass.ts';

/** How many units go, of heads and of neurons. */
export const fraction = {
  kind: 'number',
  label: sentence('Share to remove'),
  help: sentence('Of all in the model, 0 to 1, instead of a list.'),
  default: null,
  min: 0,
  max: 0.95,
} as const satisfies Field;

/** What chooses the units that go. */
const scores = {
  auto: { value: 'auto', hint: sentence('By removal cost where there is text, by magnitude where there is none.') },
  magnitude: { value: 'magnitude', hint: sentence('The size of its weights: needs no text, and is a poor guide.') },
  activation: {
    value: 'activation',
    hint: sentence('How much what it adds to the output varies over the text, behind what is pruned below.'),
  },
  gradient: {
    value: 'gradient',
    hint: sentence(
      'How fast the loss changes with it (Michel): two runs of the model for each head, or for each of 16 groups of a layer’s neurons.',
    ),
  },
  reconstruction: {
    value: 'reconstruction',
    hint: sentence('The error that stays when the others have taken over what they can, behind what is pruned below.'),
  },
} as const;

const by = {
  kind: 'choice',
  label: sentence('Chosen by'),
  help: sentence('What says how much one is worth.'),
} as const;

/** What gradients are told against. */
const labels = {
  kind: 'file',
  label: sentence('Labels'),
  help: sentence(
    'A task whose labels the loss is told against, as evaluate names it: sst2:FILE.tsv, stsb:FILE.csv. Without one, what the model itself says.',
  ),
  default: '',
  when: { by: ['gradient'] },
} as const satisfies Field;

/** What is done about the loss. */
export const repairFields = {
  repair: {
    kind: 'choice',
    label: sentence('Repair'),
    help: sentence('What is done about the loss, without training.'),
    default: 'auto',
    choices: [
      { value: 'auto', hint: sentence('Least squares where there is text, nothing where there is none.') },
      { value: 'none', hint: sentence('Nothing: the outputs are those of the model with these units masked.') },
      { value: 'bias', hint: sentence('The mean of what is removed goes into the bias that follows it; the weights stay.') },
      {
        value: 'least-squares',
        hint: sentence('The matrix behind the cut is refitted, so that its output is the original’s on the text.'),
      },
    ],
  },
  sentences: {
    kind: 'number',
    label: sentence('Sentences'),
    help: sentence('How many lines of the text are used, from its first; all when not said. 1,000 or more are good.'),
    default: null,
    min: 1,
    max: 2048,
    step: 1,
  },
  damping: {
    kind: 'number',
    label: sentence('Damping'),
    help: sentence(
      'How strongly a refit is held to the weights as they are, in parts of the mean square of its inputs; more for less text when not said.',
    ),
    default: null,
    min: 0,
    max: 10,
    when: { repair: ['auto', 'least-squares'] },
  },
} as const satisfies Record<string, Field>;

/** How heads and neurons are chosen, and what is done about the loss. */
export const choosingFields = {
  by: { ...by, default: 'auto', choices: Object.values(scores) },
  labels,
  ...repairFields,
} as const;
