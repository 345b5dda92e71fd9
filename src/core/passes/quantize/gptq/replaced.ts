import type { Anatomy, Layer, Linear, Norm } from '../../../anatomy/anatomy.ts';
import { biasAsItIs, normAsItIs } from '../../as-it-is.ts';
import type { ReplaceEdit } from '../../pass.ts';
import type { GptqForm } from './gptq-matrix.ts';

/** How the matrix of a stored weight is rounded; undefined where it is not. */
export type FormOf = (weight: string) => GptqForm | undefined;

/** The weights serve several layers: what one of them loses says little of the others. */
export const isShared = (layer: Layer, { layers }: Anatomy): boolean =>
  layers.some(other => other !== layer && other.stored === layer.stored);

/** The matrices of a half that are rounded, in the order in which data meets them: each stored one once. */
export interface Stages {
  /** What should give what it gave; those of one stage do not read each other. The inner factor of a matrix is a stage before its outer one. */
  readonly inner: readonly (readonly Linear[])[];
  /** What writes to the residual stream, if it is rounded. */
  readonly last: Linear | undefined;
}

export function stagesOf(layer: Layer, part: 'attention' | 'feed-forward', formOf: FormOf): Stages {
  const { query, key, value, up, gate, output, down } = layer;
  const reading = part === 'attention' ? [query, key, value] : gate ? [up, gate] : [up];
  const wholes = [...new Set(reading.map(linear => linear.within ?? linear))];
  const writing = part === 'attention' ? output : down;
  const stages = [
    wholes.map(linear => linear.factors?.first ?? linear),
    wholes.flatMap(({ factors }) => factors?.second ?? []),
    writing.factors ? [writing.factors.first] : [],
  ];
  const inner = stages.map(stage => stage.filter(linear => isRounded(linear, formOf))).filter(({ length }) => length > 0);
  const last = writing.factors?.second ?? writing;
  return { inner, last: !writing.within && isRounded(last, formOf) ? last : undefined };
}

export const isRounded = ({ weight, form }: Linear, formOf: FormOf): boolean =>
  form === 'dense' && formOf(weight.name) !== undefined;

export const normBehind = ({ attentionNorm, outputNorm }: Layer, part: 'attention' | 'feed-forward'): Norm =>
  part === 'attention' ? attentionNorm : outputNorm;

/** The biases and norms that are replaced, by themselves: without text the sizes of a result are known by them. */
export function replacedIn(anatomy: Anatomy, formOf: FormOf, hasTables: boolean): ReplaceEdit[] {
  const edits: ReplaceEdit[] = [];
  const { embeddingNorm } = anatomy;
  if (hasTables && embeddingNorm) edits.push(...normAsItIs(embeddingNorm));
  for (const layer of anatomy.layers.filter(it => !isShared(it, anatomy)))
    for (const part of ['attention', 'feed-forward'] as const) {
      const { inner, last } = stagesOf(layer, part, formOf);
      const rounded = [...inner.flat(), ...(last ? [last] : [])];
      for (const target of rounded) if (target.bias) edits.push({ kind: 'replace', target, ...biasAsItIs(target) });
      if (rounded.length > 0) edits.push(...normAsItIs(normBehind(layer, part)));
    }
  return edits;
}
