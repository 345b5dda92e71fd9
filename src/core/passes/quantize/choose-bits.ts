import type { Anatomy } from '../../anatomy/anatomy.ts';
import { linearsIn } from '../../anatomy/anatomy.ts';
import { fail } from '../../errors.ts';
import type { Edit, PassContext, Plan } from '../pass.ts';
import { type Choice, knapsack } from './knapsack.ts';
import { measureParts } from './sensitivity.ts';

/** What names and nodes of one matrix add to a file, at most. */
const ORGAN_BYTES = 600;

/**
 * Bits for each layer, so that the file has at most `budget` bytes: each layer is stored with each width by itself, the drift of the
 * model's sentence vectors (1 - cosine, mean) is its cost, and a knapsack chooses. In a dry run no text is read: the widths may be
 * those of other layers, the sum is the same.
 * source: Q-BERT's mixed precision, with runs in place of the Hessian's eigenvalues
 */
export async function chooseBits(
  anatomy: Anatomy,
  context: PassContext,
  widths: readonly number[],
  budget: number,
  planOf: (bits: number) => Plan,
): Promise<number[]> {
  const { layers } = anatomy;
  const plans = widths.map(planOf);
  const own = layers.map(layer => new Set(linearsIn(layer).map(({ id }) => id)));
  const shared = layers.map(({ index, stored }) => stored !== index);
  const editsOf = (plan: Plan, layer: number) => plan.edits.filter(edit => 'target' in edit && own[layer]!.has(edit.target.id));
  const fixed =
    context.model.byteLength +
    changeOf(plans[0]!.edits.filter(edit => !own.some(ids => 'target' in edit && ids.has(edit.target.id))));
  const before = layers
    .flatMap((_, layer) => (shared[layer] ? [] : editsOf(plans[0]!, layer)))
    .reduce((sum, it) => sum + oldBytes(it), 0);
  const room = budget - (fixed - before);
  const costs = context.dryRun
    ? undefined
    : await measured(anatomy, context, widths, (at, layer) => editsOf(plans[at]!, layer), shared);
  const items = layers.flatMap((_, layer): (readonly Choice[])[] =>
    shared[layer]
      ? []
      : [plans.map((plan, at) => ({ bytes: newBytes(editsOf(plan, layer)), cost: costs?.[layer]?.[at] ?? 4 ** -widths[at]! }))],
  );
  const chosen = room > 0 ? knapsack(items, room) : undefined;
  if (!chosen) {
    const least = fixed - before + items.reduce((sum, choices) => sum + Math.min(...choices.map(({ bytes }) => bytes)), 0);
    throw fail(
      'bad-recipe',
      'budget is {found} MB, and the smallest file that these options make has {least} MB.',
      { found: budget / 1e6, least: Math.ceil(least / 1e4) / 100 },
      { file: context.model.name },
    );
  }
  let at = 0;
  const bits = layers.map((_, layer) => (shared[layer] ? 0 : widths[chosen[at++]!]!));
  return layers.map(({ index, stored }, layer) =>
    shared[layer] ? bits[layers.findIndex(it => it.index === stored)]! : bits[layers.findIndex(it => it.index === index)]!,
  );
}

const oldBytes = (edit: Edit): number => ('target' in edit ? (edit.target.weight?.byteLength ?? 0) : 0);
const newBytes = (edits: readonly Edit[]): number =>
  edits.reduce((sum, edit) => {
    if (!('values' in edit)) return sum;
    const scale = 'scale' in edit ? edit.scale.byteLength : 0;
    const zeros = 'zeroPoint' in edit ? (edit.zeroPoint?.byteLength ?? 0) : 0;
    return sum + edit.values.byteLength + scale + zeros + ORGAN_BYTES;
  }, 0);
const changeOf = (edits: readonly Edit[]): number =>
  newBytes(edits) - edits.filter(it => 'values' in it).reduce((sum, it) => sum + oldBytes(it), 0);

/** [layer][width]: the drift of that layer alone. */
async function measured(
  { layers }: Anatomy,
  context: PassContext,
  widths: readonly number[],
  editsOf: (width: number, layer: number) => readonly Edit[],
  shared: readonly boolean[],
): Promise<number[][]> {
  const ways = layers.flatMap((_, layer) => (shared[layer] ? [] : [...widths.keys()].map(at => ({ layer, at }))));
  const keyOf = (layer: number, at: number) => `encoder.layer.${layer} ${widths[at]!}`;
  const byKey = new Map(ways.map(({ layer, at }) => [keyOf(layer, at), editsOf(at, layer)]));
  const costs = await measureParts(context, [...byKey.keys()], async key => byKey.get(key)!);
  return layers.map((_, layer) => widths.map((__, at) => costs.get(keyOf(layer, at)) ?? 0));
}
