import { type Anatomy, type Layer, matricesIn } from '../../anatomy/anatomy.ts';
import { fail, type Sentence, sentence } from '../../errors.ts';
import { isFloat } from '../../kernels/floats.ts';
import type { Skipped } from '../pass.ts';
import { turnsHidden } from '../prune/prunable.ts';

/** Layers that share, those of each group ascending. throws 'bad-recipe' for a layer that is not there, or in two groups */
export function groupsOf(
  { layers }: Anatomy,
  given: readonly (readonly number[])[],
  size: number | null,
  file: string,
): readonly (readonly number[])[] {
  if (given.length > 0 && size !== null)
    throw fail('bad-recipe', 'Give {one} or {other}, not both.', { one: 'groups', other: 'size' }, { file });
  if (given.length === 0 && size === null)
    throw fail('bad-recipe', 'Which layers share is not said: give groups or size.', {}, { file });
  const seen = new Set<number>();
  for (const layer of given.flat()) {
    if (layer >= layers.length)
      throw fail(
        'bad-recipe',
        'There is no layer {layer}: the model has {count}, counted from 0.',
        { layer, count: layers.length },
        { file },
      );
    if (seen.has(layer)) throw fail('bad-recipe', 'Layer {layer} is in two groups.', { layer }, { file });
    seen.add(layer);
  }
  if (size === null) return given.map(group => [...group].sort((a, b) => a - b));
  const all = layers.map(({ index }) => index);
  return Array.from({ length: Math.ceil(all.length / size) }, (_, group) => all.slice(group * size, (group + 1) * size));
}

/** Groups that can share; why the others cannot. */
export function sharable({ layers }: Anatomy, groups: readonly (readonly number[])[]) {
  const kept: Layer[][] = [];
  const skipped: Skipped[] = [];
  for (const group of groups) {
    const members = group.map(index => layers[index]!);
    const reason = members.length < 2 ? sentence('A group of one layer changes nothing.') : whyNot(layers, members);
    if (reason) skipped.push({ target: group.map(index => `encoder.layer.${index}`).join(', '), reason });
    else kept.push(members);
  }
  return { groups: kept, skipped };
}

function whyNot(layers: readonly Layer[], members: readonly Layer[]): Sentence | undefined {
  const [first] = members;
  const turned = turnsHidden({ layers });
  if (turned) return turned;
  for (const layer of members) {
    const { index } = layer;
    if (layers.some(other => other.stored === layer.stored && other !== layer))
      return sentence('Layer {layer} shares its weights already.', { layer: index });
    const bad = matricesIn(layer).find(({ form, weight, packed }) => form !== 'dense' || packed || !isFloat(weight.dtype));
    if (bad) return sentence('{id} is not stored as plain numbers. Share first, then factorize or quantize.', { id: bad.id });
    if (shapeOf(layer) !== shapeOf(first!))
      return sentence('Layer {layer} has other shapes than layer {first}: only equal ones can share.', {
        layer: index,
        first: first!.index,
      });
  }
  return undefined;
}

const shapeOf = (layer: Layer): string =>
  JSON.stringify([
    layer.heads,
    matricesIn(layer).map(({ weight, bias, transposed }) => [weight.dtype, weight.shape, bias?.shape, transposed]),
    (layer.extra ?? []).map(({ tensors }) => tensors?.map(([, { shape }]) => shape)),
  ]);
