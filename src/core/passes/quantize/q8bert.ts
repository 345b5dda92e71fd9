import { sentence } from '../../errors.ts';
import { planDynamic } from './dynamic.ts';
import { byTensor } from './eight-bits.ts';
import { graphsOnly } from './graphs-only.ts';
import type { Scheme } from './scheme.ts';

/** Every matrix and table with one symmetric scale; activations with one for each tensor, found when the model runs. */
export const q8bert: Scheme = {
  id: 'q8bert',
  hint: sentence(
    'As Q8BERT: 8 bits, one symmetric scale for each matrix and table. To compare with; int8 is closer to the original.',
  ),
  options: ['embedding_bits'],
  embeddingBits: [8, 32],
  source: 'Zafrir et al., Q8BERT, NeurIPS EMC2 2019, without its training: activations are scaled as they come',
  async plan(anatomy, options, { model, format }) {
    const { graph } = model;
    if (format === 'safetensors' || !graph) return graphsOnly(model, 'q8bert');
    const plan = planDynamic({ ...model, graph }, anatomy, { ...options, per_channel: false });
    const tables = new Set(anatomy.tables.map(({ weight }) => weight.name));
    const edits = plan.edits.map(edit => {
      if (edit.kind !== 'quantize' || !tables.has(edit.target.weight.name)) return edit;
      return { ...edit, ...byTensor(edit.target.weight, { id: edit.target.id, signed: true }) };
    });
    return { ...plan, edits };
  },
};
