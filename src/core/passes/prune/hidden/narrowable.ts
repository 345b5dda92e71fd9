import type { Anatomy, Norm } from '../../../anatomy/anatomy.ts';
import { isSkip } from '../../../anatomy/ids.ts';
import { taps } from '../../../anatomy/taps.ts';
import { type Sentence, sentence } from '../../../errors.ts';
import { isFloat } from '../../../kernels/floats.ts';
import type { Model } from '../../../model/model.ts';
import { usesOfConstants } from '../../uses.ts';
import { notCuttable } from '../prunable.ts';
import { isSharedBias, streamOf } from './stream.ts';

/** Why the hidden states of a model cannot be made narrower, if they cannot. */
export function notNarrowable(model: Model, anatomy: Anatomy): Sentence | undefined {
  return notPlain(anatomy) ?? notStored(anatomy) ?? notShown(model, anatomy);
}

/** Layers as BERT's: norms behind the halves, no module beside, nothing shared. */
function notPlain(anatomy: Anatomy): Sentence | undefined {
  const { layers, embeddingProjection, embeddingExtra, encoderExtra, hidden } = anatomy;
  if (layers.some(({ extra = [] }) => extra.some(({ id }) => isSkip(id))))
    return sentence('Its hidden size was pruned already. Start from the model as it was before.');
  if (layers.some(({ index, stored }) => index !== stored))
    return sentence('Layers of this model share their weights: one matrix cannot stand for the norms of all of them.');
  if (embeddingProjection)
    return sentence('Its embeddings are factored ({id} makes their rows as wide as the hidden states).', {
      id: embeddingProjection.id,
    });
  const beside =
    embeddingExtra?.[0] ??
    encoderExtra?.find(({ table }) => !table || table.width === hidden) ??
    layers.flatMap(({ extra }) => extra ?? []).find(organ => !isSharedBias(organ));
  return beside && sentence('{id} reads or gives hidden states in a way that is not understood.', { id: beside.id });
}

function notStored(anatomy: Anatomy): Sentence | undefined {
  const { layers, tables, embeddingNorm, hidden } = anatomy;
  for (const { query, key, value, output, up, gate, down, attentionNorm, outputNorm } of layers) {
    for (const linear of [query, key, value, output, up, gate, down]) {
      const reason = linear && notCuttable(linear);
      if (reason) return reason;
    }
    const reason = notWhole(attentionNorm) ?? notWhole(outputNorm);
    if (reason) return reason;
    if (!output.bias || !down.bias) return noBias(output.bias ? down.id : output.id);
  }
  if (!streamOf(anatomy)) return noBias(layers[0]!.query.id);
  const table = tables.find(({ form, weight, width }) => form === 'quantized' || !isFloat(weight.dtype) || width !== hidden);
  if (table?.form === 'quantized') return sentence('{id} is quantized. Prune first, then quantize.', { id: table.id });
  if (table) return sentence('The rows of {id} are not as wide as the hidden states.', { id: table.id });
  return embeddingNorm ? notWhole(embeddingNorm) : noNorm('embeddings');
}

const notWhole = ({ id, weight, bias }: Norm): Sentence | undefined => (weight && bias ? undefined : noNorm(id));

const noNorm = (id: string): Sentence =>
  sentence('{id} has no layer normalization with a gain and a bias, behind which hidden states could be turned.', { id });

const noBias = (id: string): Sentence =>
  sentence('{id} has no bias, which would have to hold what the norms around it hold.', { id });

/** A graph must show its sums, and give out nothing from between its layers; a checkpoint has no place for a decoder that is the table. */
function notShown(model: Model, anatomy: Anatomy): Sentence | undefined {
  const word = anatomy.tables[0];
  const { graph } = model;
  if (!graph)
    return isTied(anatomy)
      ? sentence('The decoder reads {id} too, and no checkpoint holds that narrowed. As ONNX it can be.', { id: word!.id })
      : undefined;
  const { embeddings, layers } = taps({ ...model, graph }, anatomy);
  if (layers.length === 0 || layers.some(({ sums, output }) => !sums || output === undefined))
    return sentence('The residual sums of this graph are not understood, so its hidden states cannot be narrowed.');
  const inner = new Set([embeddings, ...layers.flatMap(({ input, attentionNormOut }) => [input, attentionNormOut])]);
  const given = graph.outputs.find(({ name }) => inner.has(name));
  if (given) return sentence('Its output {name} is a hidden state from between its layers.', { name: given.name });
  const uses = usesOfConstants({ ...model, graph });
  const other = anatomy.tables.find(({ weight }) => uses.get(weight.name)?.some(({ kind }) => kind === 'other'));
  return other && anatomy.top.some(({ linear }) => linear?.weight.name === other.weight.name)
    ? sentence('An operator that is no look-up and no plain product reads {id}.', { id: other.id })
    : undefined;
}

/** Is the decoder the table of words itself? */
export const isTied = ({ top, tables, copies }: Anatomy): boolean =>
  top.some(({ linear }) => linear && (copies.get(linear.weight.name) ?? linear.weight.name) === tables[0]?.weight.name);
