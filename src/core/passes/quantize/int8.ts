import { sentence } from '../../errors.ts';
import { planGraph } from './graph.ts';
import type { Scheme } from './scheme.ts';
import { planTensors } from './tensors.ts';

export const int8: Scheme = {
  id: 'int8',
  hint: sentence('8 bits, each row of activations scaled by itself: a result does not depend on its batch.'),
  options: ['embedding_bits'],
  embeddingBits: [8, 32],
  source:
    'Rows of activations and channels of weights scaled apart: Yao et al., ZeroQuant, NeurIPS 2022; safetensors: compressed-tensors, int-quantized',
  async plan(anatomy, options, { model, format }) {
    const { graph } = model;
    return format === 'safetensors' || !graph
      ? planTensors(model, anatomy, options)
      : planGraph({ ...model, graph }, anatomy, options);
  },
};
