import type { Anatomy } from '../../anatomy/anatomy.ts';
import { fail, sentence } from '../../errors.ts';
import type { Model } from '../../model/model.ts';
import type { Units } from '../pass.ts';

/** Units to remove, by layer, ascending. */
export type Removal = ReadonlyMap<number, readonly number[]>;

/**
 * A person's list, checked: every layer and unit is there, and no layer loses its last; a list of what stays may name all of a layer.
 * throws 'bad-recipe' with what was found and what there is
 */
export function listed(
  model: Model,
  { layers }: Anatomy,
  units: Units,
  count: (layer: number) => number,
  names: 'gone' | 'kept' = 'gone',
): Removal {
  const found = new Map<number, readonly number[]>();
  for (const [key, list] of Object.entries(units)) {
    const layer = Number(key);
    if (layer >= layers.length)
      throw fail(
        'bad-recipe',
        'There is no layer {layer}: the model has {count}, counted from 0.',
        { layer, count: layers.length },
        { file: model.name },
      );
    const missing = list.find(unit => unit >= count(layer));
    if (missing !== undefined)
      throw fail(
        'bad-recipe',
        'Layer {layer} has no unit {unit}: it has {count}, counted from 0.',
        { layer, unit: missing, count: count(layer) },
        { file: model.name },
      );
    if (names === 'gone' && list.length >= count(layer)) throw lastOne(model, layer, count(layer));
    if (list.length > 0)
      found.set(
        layer,
        [...list].sort((a, b) => a - b),
      );
  }
  return found;
}

const lastOne = (model: Model, layer: number, count: number) =>
  fail(
    'bad-recipe',
    'Layer {layer} would lose all of its {count}; one at least must stay.',
    { layer, count },
    { file: model.name, hint: sentence('To remove the layer itself use prune-layers.') },
  );

/** Everything that is not kept. */
export const complement = (kept: readonly number[], count: number): number[] => {
  const stays = new Set(kept);
  return Array.from({ length: count }, (_, unit) => unit).filter(unit => !stays.has(unit));
};

/** The smallest scores of the whole model, but never the last `least` of a layer. Layers that share their weights are one. */
export function cheapest(scores: ReadonlyMap<number, readonly number[]>, total: number, least = 1): Removal {
  const all = [...scores].flatMap(([layer, each]) => each.map((score, unit) => ({ layer, unit, score })));
  all.sort((a, b) => a.score - b.score || a.layer - b.layer || a.unit - b.unit);
  const found = new Map<number, number[]>();
  let left = total;
  for (const { layer, unit } of all) {
    if (left === 0) break;
    const gone = found.get(layer) ?? [];
    if (scores.get(layer)!.length - gone.length <= least) continue;
    gone.push(unit);
    found.set(layer, gone);
    left--;
  }
  for (const gone of found.values()) gone.sort((a, b) => a - b);
  return found;
}
