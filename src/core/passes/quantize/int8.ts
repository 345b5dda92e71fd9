import { sentence } from '../../errors.ts';
import { type GraphForm, planGraph } from './graph.ts';
import { observedIfText } from './observed.ts';
import type { QuantizeOptions, Scheme } from './scheme.ts';
import { planTensors } from './tensors.ts';

/** Half of the spread: cosine 0.9994 on minilm without text, against 0.9989 without smoothing and 0.9993 with 0.3. */
const SMOOTH = 0.5;

export const int8: Scheme = {
  id: 'int8',
  hint: sentence('8 bits, each row of activations scaled by itself: a result does not depend on its batch.'),
  options: ['activation_bits', 'operators', 'smooth', 'embedding_bits'],
  embeddingBits: [8, 32],
  source:
    'Rows of activations and channels of weights scaled apart: Yao et al., ZeroQuant, NeurIPS 2022; smoothing: Xiao et al., SmoothQuant, ICML 2023; safetensors: compressed-tensors, int-quantized',
  async plan(anatomy, options, context) {
    const { model, format } = context;
    const { graph } = model;
    if (format === 'safetensors' || !graph) return planTensors(model, anatomy, options);
    const form = formOf(options);
    const observed = form.smooth > 0 ? await observedIfText(anatomy, context) : undefined;
    return planGraph({ ...model, graph }, anatomy, options, { ...form, ...(observed && { observed }) });
  },
};

function formOf(options: QuantizeOptions): GraphForm {
  const contrib = options.operators !== 'standard';
  // Products of unsigned bytes do not saturate without VNNI, and standard graphs have no other fast product: 8 bits cost nothing there.
  const bits = contrib && options.activation_bits === 7 ? 7 : 8;
  return { scheme: 'int8', signed: contrib, turns: true, product: { bits, contrib }, smooth: options.smooth ?? SMOOTH };
}
