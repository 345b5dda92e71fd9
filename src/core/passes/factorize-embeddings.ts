import { sentence } from '../errors.ts';
import { planTable } from './factorize/plan-table.ts';
import { definePass } from './pass.ts';

export const factorizeEmbeddings = definePass({
  id: 'factorize-embeddings',
  title: sentence('Factorize embeddings'),
  summary: sentence('Replace the table of words by a narrow one and a matrix that widens its rows.'),
  source: 'Lan et al., ALBERT, ICLR 2020; weighted: row weights as in Chen et al., GroupReduce, NeurIPS 2018',
  needs: ['weights'],
  fields: {
    rank: {
      kind: 'number',
      label: sentence('Rank'),
      help: sentence('Width of the narrow table. A third of the width loses little with token counts.'),
      default: 128,
      min: 1,
      max: 65_536,
      step: 1,
    },
    method: {
      kind: 'choice',
      label: sentence('Method'),
      help: sentence('Which words count.'),
      default: 'svd',
      choices: [
        { value: 'svd', hint: sentence('All alike: needs no text, and loses much.') },
        { value: 'weighted', hint: sentence('As often as the calibration text has them: much closer to the original.') },
      ],
    },
  },
  suggestions: [{ rank: 192 }, { rank: 128 }],
  plan: planTable,
});
