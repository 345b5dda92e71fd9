import { sentence } from '../../errors.ts';
import { planGraph } from './graph.ts';
import { graphsOnly } from './graphs-only.ts';
import type { Scheme } from './scheme.ts';

export const int8Weights: Scheme = {
  id: 'int8-weights',
  hint: sentence('Weights in 8 bits, activations as they are: standard operators, closest to the original.'),
  options: ['embedding_bits'],
  embeddingBits: [8, 32],
  source: 'ONNX, DequantizeLinear with a scale for each output channel',
  async plan(anatomy, options, { model, format }) {
    const { graph } = model;
    if (format === 'safetensors' || !graph) return graphsOnly(model, options.scheme);
    const form = { scheme: 'int8-weights', signed: true, turns: false, smooth: 0, opset: 13 } as const;
    return planGraph({ ...model, graph }, anatomy, options, form);
  },
};
