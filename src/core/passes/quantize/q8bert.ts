import type { Anatomy, Linear, Table } from '../../anatomy/anatomy.ts';
import { sentence } from '../../errors.ts';
import type { Graph } from '../../model/graph.ts';
import type { Model } from '../../model/model.ts';
import { computed } from '../computed.ts';
import type { Plan, StoreEdit } from '../pass.ts';
import { castsOf } from './casts.ts';
import { planDynamic } from './dynamic.ts';
import { byTensor, sidesOf } from './eight-bits.ts';
import type { QuantizeOptions, Scheme } from './scheme.ts';
import { hasDecoder, storableIn, storedAsHalf } from './storable.ts';

/** Every matrix and table with one symmetric scale; activations with one for each tensor, found when the model runs. */
export const q8bert: Scheme = {
  id: 'q8bert',
  hint: sentence(
    'As Q8BERT: 8 bits, one symmetric scale for each matrix and table. To compare with; int8 is closer to the original.',
  ),
  options: ['embedding_bits'],
  embeddingBits: [8, 32],
  source:
    'Zafrir et al., Q8BERT, NeurIPS EMC2 2019, without its training: activations are scaled as they come; safetensors: compressed-tensors, naive-quantized',
  async plan(anatomy, options, { model, format }) {
    const { graph } = model;
    return format === 'safetensors' || !graph
      ? planTensors(model, anatomy, options)
      : planGraph({ ...model, graph }, anatomy, options);
  },
};

function planGraph(model: Model & { readonly graph: Graph }, anatomy: Anatomy, options: QuantizeOptions): Plan {
  const plan = planDynamic(model, anatomy, { ...options, per_channel: false });
  const tables = new Set(anatomy.tables.map(({ weight }) => weight.name));
  const edits = plan.edits.map(edit => {
    if (edit.kind !== 'quantize' || !tables.has(edit.target.weight.name)) return edit;
    return { ...edit, ...byTensor(edit.target.weight, { id: edit.target.id, signed: true }) };
  });
  return { ...plan, edits };
}

/** Weights alone: a checkpoint says nothing of activations. */
function planTensors(model: Model, anatomy: Anatomy, options: QuantizeOptions): Plan {
  const bytesOf = ({ weight }: Linear | Table) => sidesOf(weight).reduce((a, b) => a * b) + 4;
  const { linears, tables, skipped } = storableIn(model, anatomy, options, bytesOf);
  const kept = options.embedding_bits === 32 ? tables : [];
  const tied = tables.filter(table => !kept.includes(table) && hasDecoder(table, anatomy));
  const free = tables.filter(table => !kept.includes(table) && !tied.includes(table));
  const reason = sentence('Embeddings stay as they are by “embedding_bits”.');
  skipped.push(...kept.map(({ id }) => ({ target: id, reason })), ...tied.map(storedAsHalf));
  const edits = [...tied.flatMap(table => castsOf(table, anatomy, model)), ...[...free, ...linears].map(inOneScale)];
  const note = sentence(
    'Weights alone: how activations are rounded is up to what runs the checkpoint, and transformers leaves them as they are.',
  );
  return { edits, skipped, notes: edits.length > 0 ? [note] : [] };
}

function inOneScale(target: Linear | Table): StoreEdit {
  const { values, scale } = byTensor(target.weight, { id: target.id, signed: true });
  const vector = computed(scale.name, scale.dtype, [1], (start, end, signal) => scale.bytes(start, end, signal));
  return { kind: 'store', target, bits: 8, groupSize: 0, values, scale: vector };
}
