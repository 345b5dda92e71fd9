import type { Anatomy, Layer, Linear } from '../../anatomy/anatomy.ts';
import { isSkip } from '../../anatomy/ids.ts';
import { HeadroomError, type Sentence, sentence } from '../../errors.ts';
import { isFloat } from '../../kernels/floats.ts';
import type { Model } from '../../model/model.ts';
import type { Skipped } from '../pass.ts';

/** Layers that a pass works on, one for those that share their weights, and why the others are left alone. */
export interface Prunable {
  readonly layers: readonly Layer[];
  readonly skipped: readonly Skipped[];
}

/** Layers that can lose heads. */
export const headLayers = (anatomy: Anatomy): Prunable =>
  prunable(
    anatomy,
    layer => headsKept(anatomy, layer),
    ({ index }) => `encoder.layer.${index}.attention`,
  );

/** Layers that can lose neurons. */
export const neuronLayers = (anatomy: Anatomy): Prunable => prunable(anatomy, neuronsKept, ({ up }) => up.id);

function prunable(anatomy: Anatomy, kept: (layer: Layer) => Sentence | undefined, target: (layer: Layer) => string): Prunable {
  const skipped: Skipped[] = [];
  const layers = anatomy.layers.filter(layer => {
    if (layer.stored !== layer.index) return false;
    const reason = kept(layer);
    if (reason) skipped.push({ target: target(layer), reason });
    return !reason;
  });
  return { layers, skipped };
}

/** Why a linear cannot be cut, if it cannot. */
export function notCuttable(linear: Linear): Sentence | undefined {
  const { form, weight, packed, id } = linear.within ?? linear;
  if (form === 'quantized' || packed || !isFloat(weight.dtype))
    return sentence('{id} is quantized. Prune first, then quantize.', { id });
  if (form === 'factored') return sentence('{id} is factored. Prune first, then factorize.', { id });
  if (form === 'convolution' || weight.shape.length !== 2)
    return sentence('{id} is stored as a convolution, which is not pruned.', { id });
  return undefined;
}

/** Why no layer can stand in another's place: each turns hidden states from a basis of its own into the next. */
export function turnsHidden({ layers }: Pick<Anatomy, 'layers'>): Sentence | undefined {
  const skip = layers.flatMap(({ extra }) => extra ?? []).find(({ id }) => isSkip(id));
  return (
    skip &&
    sentence(
      'The hidden size was pruned: each layer turns hidden states in a way of its own ({id}), so that none can go or stand for another. Prune the hidden size last.',
      { id: skip.id },
    )
  );
}

/** Layers that run with the same tensors: what one loses, all lose. */
export const sharing = ({ layers }: Anatomy, layer: Layer): readonly Layer[] =>
  layers.filter(({ stored }) => stored === layer.stored);

export const cannot = (model: Model, reason: Sentence): HeadroomError =>
  new HeadroomError('unsupported', reason, { file: model.name });

/** Why heads of this layer cannot be removed, if they cannot. */
export function headsKept(anatomy: Anatomy, layer: Layer): Sentence | undefined {
  const { heads, headDim, query, key, value, output, extra = [] } = layer;
  if (heads === 0) return sentence('How many heads layer {layer} has is not known.', { layer: layer.index });
  for (const linear of [query, key, value, output]) {
    const reason = notCuttable(linear);
    if (reason) return reason;
  }
  if ([query, key, value].some(({ out }) => out !== heads * headDim) || output.in !== heads * headDim)
    return sentence('Heads of layer {layer} do not have their own rows and columns.', { layer: layer.index });
  const positions = anatomy.encoderExtra?.find(({ id }) => id.includes('relative_attention_bias'));
  if (positions)
    return sentence('All layers share {id}, a table with a column for each head: no layer can lose one alone.', {
      id: positions.id,
    });
  const beside = extra.find(({ part, id }) => part !== 'feed-forward' && !isSkip(id));
  if (beside) return sentence('{id} has a part for each head that is not understood.', { id: beside.id });
  return undefined;
}

/** Why neurons of this layer cannot be removed, if they cannot. */
export function neuronsKept({ up, gate, down, extra = [] }: Layer): Sentence | undefined {
  for (const linear of [up, gate, down]) {
    const reason = linear && notCuttable(linear);
    if (reason) return reason;
  }
  if (up.out !== down.in || (gate && gate.out !== up.out))
    return sentence('{id} does not read what {up} gives one by one.', { id: down.id, up: up.id });
  const beside = extra.find(({ part, linear, id }) => part === 'feed-forward' && linear && !isSkip(id));
  return (
    beside && sentence('The layer has more than one feed-forward network ({id}), which is not understood.', { id: beside.id })
  );
}
