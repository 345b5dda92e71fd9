import type { Anatomy } from '../../anatomy/anatomy.ts';
import { sentence } from '../../errors.ts';
import type { PassContext, Plan } from '../pass.ts';
import { chooseBits, type PlanOf } from './choose-bits.ts';
import { planRounded } from './gptq/plan.ts';
import { planMixedGraph } from './mixed-graph.ts';
import { planPackedTensors } from './packed-tensors.ts';
import type { QuantizeOptions, Scheme } from './scheme.ts';

export const mixed: Scheme = {
  id: 'mixed',
  hint: sentence('2 to 8 bits, each layer with its own: given, or chosen for a size.'),
  options: ['bits', 'budget', 'block_size', 'symmetric', 'embedding_bits', 'rounding'],
  embeddingBits: [4, 8, 16, 32],
  source:
    'Shen et al., Q-BERT, AAAI 2020; safetensors: compressed-tensors, pack-quantized; rounding gptq: Frantar et al., GPTQ, ICLR 2023',
  async plan(anatomy, options, context) {
    const { budget } = options;
    if (budget !== null && anatomy.layers.length > 0) return planForBudget(anatomy, options, budget, context);
    return planRounded(anatomy, planWith(anatomy, options, context), options, context);
  },
};

/** Widths that MatMulNBits multiplies by, and those that a checkpoint has a use for. */
const ofGraph: readonly number[] = [2, 4, 8];
const ofTensors: readonly number[] = [2, 3, 4, 5, 6, 8];

/** What is not in a layer has as many bits whatever layers have. */
const OTHERS = 8;

/** Bits are chosen, and the text that chose them rounds by GPTQ. Tables of 8 bits may become 4. */
async function planForBudget(anatomy: Anatomy, options: QuantizeOptions, budget: number, context: PassContext): Promise<Plan> {
  const planOf: PlanOf = (bits, tables) =>
    planWith(anatomy, { ...options, bits: [...bits, OTHERS], embedding_bits: tables }, context, true);
  const first = planOf([], options.embedding_bits);
  if (first.edits.length === 0) return first;
  const { embedding_bits: most } = options;
  const widths = { layers: isGraph(context) ? ofGraph : ofTensors, tables: most === 8 ? [8, 4] : [most] };
  const half =
    (from: number): PassContext['progress'] =>
    (done, what) =>
      context.progress?.(from + done / 2, what);
  const chosen = await chooseBits(anatomy, { ...context, progress: half(0)! }, widths, budget * 1e6, planOf);
  const plan = planOf(chosen.layers, chosen.tables);
  const args = { budget, bits: chosen.layers.join(' '), tables: chosen.tables };
  const note = context.dryRun
    ? sentence('Bits for {budget} MB: {bits}, embeddings {tables}. Which layer gets which is measured when it is written.', args)
    : sentence('Bits by layer for {budget} MB: {bits}, embeddings {tables}.', args);
  const rounded = await planRounded(anatomy, plan, { rounding: 'gptq' }, { ...context, progress: half(0.5)! });
  return { ...rounded, notes: [note, ...(rounded.notes ?? [])] };
}

const isGraph = ({ model, format }: PassContext): boolean => format === 'onnx' && model.graph !== undefined;

function planWith(anatomy: Anatomy, options: QuantizeOptions, context: PassContext, areSeveral = false): Plan {
  const { model } = context;
  return isGraph(context)
    ? planMixedGraph({ ...model, graph: model.graph! }, anatomy, options)
    : planPackedTensors(model, anatomy, options, areSeveral);
}
