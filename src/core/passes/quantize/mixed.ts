import { sentence } from '../../errors.ts';
import { planMixedTensors } from './mixed-tensors.ts';
import type { Scheme } from './scheme.ts';

export const mixed: Scheme = {
  id: 'mixed',
  hint: sentence('2 to 8 bits, each layer with its own: given, or chosen for a size.'),
  options: ['bits', 'block_size', 'symmetric', 'embedding_bits'],
  embeddingBits: [4, 8, 16, 32],
  source: 'Shen et al., Q-BERT, AAAI 2020; safetensors: compressed-tensors, pack-quantized',
  plan: async (anatomy, options, context) => planMixedTensors(context.model, anatomy, options),
};
