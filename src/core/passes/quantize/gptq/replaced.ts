import { type Anatomy, type Layer, type Linear, linearsIn, type Norm } from '../../../anatomy/anatomy.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import { named } from '../../computed.ts';
import type { ReplaceEdit } from '../../pass.ts';
import type { GptqForm } from './gptq-matrix.ts';

/** How the matrix of a stored weight is rounded; undefined where it is not. */
export type FormOf = (weight: string) => GptqForm | undefined;

/** The weights serve several layers: what one of them loses says little of the others, and they are rounded to nearest. */
export const isShared = (layer: Layer, { layers }: Anatomy): boolean =>
  layers.some(other => other !== layer && other.stored === layer.stored);

/** What reads the residual stream in a half, and is rounded: each stored matrix once. */
export function firstOf(layer: Layer, part: 'attention' | 'feed-forward', formOf: FormOf): readonly Linear[] {
  const { query, key, value, up, gate } = layer;
  const linears = part === 'attention' ? [query, key, value] : gate ? [up, gate] : [up];
  const stored = new Set(linearsIn(layer));
  return [...new Set(linears.map(linear => linear.within ?? linear))].filter(
    linear => stored.has(linear) && isRounded(linear, formOf),
  );
}

/** What writes to the residual stream in a half, if it is rounded. */
export function secondOf({ output, down }: Layer, part: 'attention' | 'feed-forward', formOf: FormOf): Linear | undefined {
  const linear = part === 'attention' ? output : down;
  return !linear.within && isRounded(linear, formOf) ? linear : undefined;
}

const isRounded = ({ weight, form }: Linear, formOf: FormOf): boolean => form === 'dense' && formOf(weight.name) !== undefined;

export const normBehind = ({ attentionNorm, outputNorm }: Layer, part: 'attention' | 'feed-forward'): Norm =>
  part === 'attention' ? attentionNorm : outputNorm;

/** Has it a gain and an offset by channel? */
export const isAffine = ({ weight, bias }: Norm): boolean => weight !== undefined && weight.shape.join() === bias?.shape.join();

/** The biases and norms that are replaced, by themselves: without text the sizes of a result are known by them. */
export function replacedIn(anatomy: Anatomy, formOf: FormOf, hasTables: boolean): ReplaceEdit[] {
  const edits: ReplaceEdit[] = [];
  const { embeddingNorm } = anatomy;
  if (hasTables && embeddingNorm && isAffine(embeddingNorm)) edits.push(asItIs(embeddingNorm));
  for (const layer of anatomy.layers.filter(it => !isShared(it, anatomy)))
    for (const part of ['attention', 'feed-forward'] as const) {
      const second = secondOf(layer, part, formOf);
      const rounded = [...firstOf(layer, part, formOf), ...(second ? [second] : [])];
      for (const target of rounded) if (target.bias) edits.push({ kind: 'replace', target, bias: copyOf(target.bias) });
      const norm = normBehind(layer, part);
      if (rounded.length > 0 && isAffine(norm)) edits.push(asItIs(norm));
    }
  return edits;
}

const asItIs = (target: Norm): ReplaceEdit => ({
  kind: 'replace',
  target,
  weight: copyOf(target.weight!),
  bias: copyOf(target.bias!),
});

const copyOf = (tensor: Tensor): Tensor => named(tensor, tensor.name);
