import type { Anatomy } from '../../anatomy/anatomy.ts';
import { linearsIn } from '../../anatomy/anatomy.ts';
import { fail } from '../../errors.ts';
import { calibrationOf } from '../calibration-of.ts';
import type { Edit, PassContext, Plan } from '../pass.ts';
import { type Choice, knapsack } from './knapsack.ts';

/** Texts on which a layer's share of the drift is measured: it takes a run for each layer and width. */
const TEXTS = 64;

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
  const calibration = await calibrationOf(context, 'budget');
  const original = await calibration.vectors([], TEXTS);
  const costs: number[][] = [];
  for (const layer of layers.keys()) {
    const drifts: number[] = [];
    for (const at of widths.keys()) {
      context.signal?.throwIfAborted();
      context.progress?.((layer + at / widths.length) / layers.length, `encoder.layer.${layer}`);
      if (!shared[layer])
        drifts.push(driftOf(original.pooled, (await calibration.vectors(editsOf(at, layer), TEXTS)).pooled, original.width));
    }
    costs.push(drifts);
  }
  return costs;
}

/** 1 - cosine, mean over the vectors. */
export function driftOf(a: Float32Array, b: Float32Array, width: number): number {
  let sum = 0;
  for (let start = 0; start < a.length; start += width) {
    let [ab, aa, bb] = [0, 0, 0];
    for (let i = start; i < start + width; i++) {
      ab += a[i]! * b[i]!;
      aa += a[i]! * a[i]!;
      bb += b[i]! * b[i]!;
    }
    sum += 1 - ab / Math.sqrt(aa * bb);
  }
  return sum / Math.max(1, a.length / width);
}
