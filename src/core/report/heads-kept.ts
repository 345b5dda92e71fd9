import type { Anatomy } from '../anatomy/anatomy.ts';
import type { Model } from '../model/model.ts';

interface Numbered {
  readonly model: Model;
  readonly anatomy: Anatomy;
}

/**
 * For each layer the heads of the first model that the second still has, numbered as the first has them, where config.json says which
 * were taken (`pruned_heads`, as transformers 4 writes it). undefined where it says nothing, or tells of other models.
 */
export function headsKept(before: Numbered, after: Numbered): readonly (readonly number[])[] | undefined {
  if (!isStated(after.model) || before.anatomy.layers.length !== after.anatomy.layers.length) return undefined;
  const kept: number[][] = [];
  for (const { index, heads } of before.anatomy.layers) {
    const first = numbersOf(before.model, index, heads);
    const second = numbersOf(after.model, index, after.anatomy.layers[index]!.heads);
    const places = second.map(number => first.indexOf(number));
    if (places.includes(-1)) return undefined;
    kept.push(places);
  }
  return kept.some((places, layer) => places.length !== before.anatomy.layers[layer]!.heads) ? kept : undefined;
}

const isStated = ({ config }: Model): boolean => typeof config.pruned_heads === 'object' && config.pruned_heads !== null;

/** What the heads of a layer were called before any was taken. */
function numbersOf({ config }: Model, layer: number, heads: number): number[] {
  const listed: unknown = (config.pruned_heads as Record<string, unknown> | null | undefined)?.[layer];
  const gone = new Set(Array.isArray(listed) ? listed.map(Number) : []);
  return Array.from({ length: heads + gone.size }, (_, head) => head).filter(head => !gone.has(head));
}
