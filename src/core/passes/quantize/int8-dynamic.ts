import { sentence } from '../../errors.ts';
import { planDynamic } from './dynamic.ts';
import { graphsOnly } from './graphs-only.ts';
import { observedIfText } from './observed.ts';
import type { Scheme } from './scheme.ts';

export const int8Dynamic: Scheme = {
  id: 'int8-dynamic',
  hint: sentence('8 bits, the same file that onnxruntime’s quantize_dynamic writes.'),
  options: ['per_channel', 'smooth', 'embedding_bits'],
  embeddingBits: [8, 32],
  source: 'onnxruntime 1.30, quantize_dynamic',
  async plan(anatomy, options, context) {
    const { model, format } = context;
    const { graph } = model;
    if (format === 'safetensors' || !graph) return graphsOnly(model, options.scheme);
    const observed = options.smooth ? await observedIfText(anatomy, context) : undefined;
    return planDynamic({ ...model, graph }, anatomy, options, observed);
  },
};
