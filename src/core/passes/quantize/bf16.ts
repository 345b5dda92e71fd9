import { sentence } from '../../errors.ts';
import type { Scheme } from './scheme.ts';
import { planSixteen } from './sixteen.ts';

export const bf16: Scheme = {
  id: 'bf16',
  hint: sentence('16 bits with the range of 32: half the size, a little less exact than fp16. In graphs only stored so.'),
  options: [],
  embeddingBits: [],
  source: 'bfloat16: the upper half of an fp32, rounded to nearest even',
  plan: (anatomy, options, context) => planSixteen('bf16', anatomy, options, context),
};
