import { sentence } from '../errors.ts';
import { definePass } from './pass.ts';
import { planWeights } from './sparsity/plan-weights.ts';

export const pruneWeights = definePass({
  id: 'prune-weights',
  title: sentence('Prune single weights'),
  summary: sentence(
    'Set single weights of the layers to zero. A file with zeros is as large and as fast as before, unless they are left out of it.',
  ),
  source:
    'Gordon et al., Compressing BERT, 2020; Sun et al., Wanda, ICLR 2024; Frantar and Alistarh, SparseGPT, ICML 2023; Guo et al., Reweighted Proximal Pruning, 2019',
  needs: ['weights', 'activations'],
  fields: {
    sparsity: {
      kind: 'number',
      label: sentence('Share of zeros'),
      help: sentence('Of the weights of each matrix, 0 to 1.'),
      default: 0.5,
      min: 0,
      max: 0.99,
      when: { pattern: ['unstructured'] },
    },
    pattern: {
      kind: 'choice',
      label: sentence('Pattern'),
      help: sentence('Which weights of a row may go.'),
      default: 'unstructured',
      choices: [
        { value: 'unstructured', hint: sentence('Any.') },
        { value: '2:4', hint: sentence('Two of every four inputs: the form that graphics cards of today multiply faster.') },
        { value: '4:8', hint: sentence('Four of every eight inputs.') },
      ],
    },
    by: {
      kind: 'choice',
      label: sentence('Chosen by'),
      help: sentence('What says how much one is worth.'),
      default: 'magnitude',
      choices: [
        { value: 'magnitude', hint: sentence('Its size: needs no text, and is a poor guide.') },
        { value: 'wanda', hint: sentence('Its size times the size of its inputs, on calibration text.') },
        { value: 'sparsegpt', hint: sentence('The error that removing it adds, with the other weights making up for it.') },
        { value: 'reweighted', hint: sentence('What a penalty that is smaller for larger weights leaves over.') },
      ],
    },
    scope: {
      kind: 'choice',
      label: sentence('Compared within'),
      help: sentence('Which weights are weighed against each other.'),
      default: 'matrix',
      choices: [
        { value: 'matrix', hint: sentence('Each matrix loses the same share.') },
        { value: 'global', hint: sentence('All matrices together: some lose more than others.') },
      ],
      when: { by: ['magnitude'], pattern: ['unstructured'] },
    },
    repair: {
      kind: 'choice',
      label: sentence('Repair'),
      help: sentence('What is done about the loss, without training.'),
      default: 'least-squares',
      choices: [
        {
          value: 'least-squares',
          hint: sentence('What stays, biases and norms are refitted layer by layer on the calibration text.'),
        },
        { value: 'none', hint: sentence('Nothing but what the method itself does.') },
      ],
      when: { by: ['wanda', 'sparsegpt', 'reweighted'] },
    },
    store: {
      kind: 'choice',
      label: sentence('Stored as'),
      help: sentence('Zeros are numbers like any other, unless they are left out.'),
      default: 'dense',
      choices: [
        { value: 'dense', hint: sentence('All numbers: every tool reads it, and nothing is saved.') },
        {
          value: 'bitmap',
          hint: sentence(
            'The numbers that stay and a bit for each: safetensors only, as compressed-tensors writes it (sparse-bitmask).',
          ),
        },
      ],
    },
  },
  suggestions: [
    { sparsity: 0.5, store: 'bitmap' },
    { pattern: '2:4', store: 'bitmap' },
  ],
  plan: planWeights,
});
