import { sentence } from '../errors.ts';
import { planFactors } from './factorize/plan.ts';
import { definePass } from './pass.ts';
import { whichFields } from './which-fields.ts';

export const factorize = definePass({
  id: 'factorize',
  title: sentence('Factorize'),
  summary: sentence('Replace each matrix of the layers by a product of two thin ones.'),
  source:
    'svd: Eckart and Young, 1936; whitened: Chen et al., DRONE, NeurIPS 2021, and Wang et al., SVD-LLM, ICLR 2025, with the original’s outputs as target, layer after layer; kronecker: Van Loan and Pitsianis, 1993; block-diagonal: alternating projection, Zhou and Tao, ICML 2011',
  needs: ['weights'],
  fields: {
    rank: {
      kind: 'number',
      label: sentence('Rank'),
      help: sentence('Of every matrix. Where that would make one larger, it is left alone.'),
      default: null,
      min: 1,
      max: 65_536,
      step: 1,
    },
    ratio: {
      kind: 'number',
      label: sentence('Share of parameters'),
      help: sentence('That stays of the matrices, 0 to 1. Empty, and no rank and no energy given: 0.6.'),
      default: null,
      min: 0.01,
      max: 0.99,
    },
    energy: {
      kind: 'number',
      label: sentence('Share of energy'),
      help: sentence('Of the squared singular values of each matrix, 0 to 1: the rank follows.'),
      default: null,
      min: 0.01,
      max: 1,
    },
    method: {
      kind: 'choice',
      label: sentence('Method'),
      help: sentence('What the thin matrices are closest in.'),
      default: 'svd',
      choices: [
        { value: 'svd', hint: sentence('The weights themselves: needs no text.') },
        {
          value: 'block-diagonal',
          hint: sentence(
            'The weights, as blocks on the diagonal and two thin matrices: rank and ratio say what the thin ones get.',
          ),
        },
        {
          value: 'kronecker',
          hint: sentence('The weights, as a sum of Kronecker products: as many terms as rank says. Smaller, but slower to run.'),
        },
        {
          value: 'query-key',
          hint: sentence(
            'Query and key together, head by head: narrower heads with the nearest scores, on the text where there is some. Rank is the width of a head.',
          ),
        },
        { value: 'whitened', hint: sentence('The outputs on calibration text, layer after layer: much closer to the original.') },
      ],
    },
    blocks: {
      kind: 'number',
      label: sentence('Blocks'),
      help: sentence('On the diagonal: more of them take fewer parameters.'),
      default: 8,
      min: 2,
      max: 1024,
      step: 1,
      when: { method: ['block-diagonal'] },
    },
    allocation: {
      kind: 'choice',
      label: sentence('Allocation'),
      help: sentence('How a share of the parameters is spent.'),
      default: 'uniform',
      choices: [
        { value: 'uniform', hint: sentence('Each matrix keeps the same share.') },
        {
          value: 'global',
          hint: sentence(
            'Where it takes away most of the loss: measured on the model’s own outputs with text, on the weights without.',
          ),
        },
      ],
    },
    ...whichFields,
  },
  suggestions: [{ ratio: 0.8 }, { ratio: 0.6 }],
  plan: planFactors,
});
