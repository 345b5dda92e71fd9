import type { Anatomy } from '../../anatomy/anatomy.ts';
import { sentence } from '../../errors.ts';
import type { PassContext, Plan } from '../pass.ts';
import { chooseBits } from './choose-bits.ts';
import { planMixedGraph } from './mixed-graph.ts';
import { planMixedTensors } from './mixed-tensors.ts';
import type { QuantizeOptions, Scheme } from './scheme.ts';

export const mixed: Scheme = {
  id: 'mixed',
  hint: sentence('2 to 8 bits, each layer with its own: given, or chosen for a size.'),
  options: ['bits', 'budget', 'block_size', 'symmetric', 'embedding_bits'],
  embeddingBits: [4, 8, 16, 32],
  source: 'Shen et al., Q-BERT, AAAI 2020; safetensors: compressed-tensors, pack-quantized',
  async plan(anatomy, options, context) {
    const { budget } = options;
    if (budget === null || anatomy.layers.length === 0) return planWith(anatomy, options, context);
    const isGraph = context.format === 'onnx' && context.model.graph !== undefined;
    // Widths differ in the end, which in a checkpoint excludes zero points: measured is what is written.
    const symmetric = options.symmetric || (!isGraph && options.embedding_bits >= 8);
    const given = { ...options, symmetric };
    const widths = isGraph ? [2, 4, 8] : [2, 3, 4, 5, 6, 8];
    const first = planWith(anatomy, { ...given, bits: 8 }, context);
    if (first.edits.length === 0) return first;
    const bits = await chooseBits(anatomy, context, widths, budget * 1e6, each =>
      planWith(anatomy, { ...given, bits: each }, context),
    );
    const plan = planWith(anatomy, { ...given, bits }, context);
    const reason = sentence('Bits by layer for {budget} MB: {bits}.', { budget, bits: bits.join(' ') });
    return { ...plan, skipped: [{ target: context.model.name, reason }, ...plan.skipped] };
  },
};

function planWith(anatomy: Anatomy, options: QuantizeOptions, { model, format }: PassContext): Plan {
  const { graph } = model;
  return format === 'safetensors' || !graph
    ? planMixedTensors(model, anatomy, options)
    : planMixedGraph({ ...model, graph }, anatomy, options);
}
