import { sentence } from '../../errors.ts';
import { planDynamic } from './dynamic.ts';
import { graphsOnly } from './graphs-only.ts';
import type { Scheme } from './scheme.ts';

export const int8Dynamic: Scheme = {
  id: 'int8-dynamic',
  hint: sentence('8 bits, the same file that onnxruntime’s quantize_dynamic writes.'),
  options: ['per_channel', 'embedding_bits'],
  embeddingBits: [8, 32],
  source: 'onnxruntime 1.30, quantize_dynamic',
  async plan(anatomy, options, { model, format }) {
    const { graph } = model;
    if (format === 'safetensors' || !graph) return graphsOnly(model, options.scheme);
    return planDynamic({ ...model, graph }, anatomy, options);
  },
};
