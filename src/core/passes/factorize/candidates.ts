import { type Anatomy, type Layer, type Linear, matricesIn } from '../../anatomy/anatomy.ts';
import { type Sentence, sentence } from '../../errors.ts';
import { isFloat } from '../../kernels/floats.ts';
import type { Model } from '../../model/model.ts';
import { isChosen, matchesGlob } from '../globs.ts';
import type { Skipped } from '../pass.ts';
import { type Use, usesOfConstants } from '../uses.ts';

/** A matrix that may become two, and the first layer it acts in. */
export interface Candidate {
  readonly linear: Linear;
  readonly layer: Layer;
}

interface Choice {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** The matrices of the layers that are chosen and can be factored, each stored one once; why the others cannot. */
export function candidatesOf(model: Model, anatomy: Anatomy, { include, exclude }: Choice) {
  const candidates: Candidate[] = [];
  const skipped: Skipped[] = [];
  const uses = model.graph && usesOfConstants({ ...model, graph: model.graph });
  const all = anatomy.layers
    .filter(({ stored, index }) => stored === index)
    .flatMap(layer => matricesIn(layer).map(linear => ({ layer, linear })));
  for (const candidate of all) {
    const { id } = candidate.linear;
    const reason = isChosen(id, include, exclude)
      ? whyNot(candidate.linear, uses)
      : sentence('Left out by “include” or “exclude”.');
    if (reason) skipped.push({ target: id, reason });
    else candidates.push(candidate);
  }
  const idle = [...include, ...exclude].filter(glob => !all.some(({ linear }) => matchesGlob(linear.id, glob)));
  for (const target of idle) skipped.push({ target, reason: sentence('No matrix of a layer has a name like this.') });
  if (all.length === 0) skipped.push({ target: model.name, reason: anatomy.notBert ?? sentence('No BERT layers were found.') });
  return { candidates, skipped };
}

function whyNot({ form, weight, packed }: Linear, uses: ReadonlyMap<string, readonly Use[]> | undefined): Sentence | undefined {
  if (form === 'factored') return sentence('It is already factored.');
  if (form === 'quantized' || packed || !isFloat(weight.dtype))
    return sentence('It is quantized. Factorize first, then quantize.');
  if (form === 'convolution' || weight.shape.length !== 2)
    return sentence('It is stored as a convolution, which is not factored.');
  const own = uses?.get(weight.name);
  if (uses && (!own || own.some(({ kind }) => kind === 'gather' || kind === 'other')))
    return sentence('An operator that is no plain product reads it.');
  return undefined;
}

export const notLookedAt = (): Sentence => sentence('What it reads is not looked at. The method svd does not ask.');
