import type { Anatomy, Layer } from '../../anatomy/anatomy.ts';
import { fail, type Sentence, sentence } from '../../errors.ts';
import type { PassContext, Plan, RemoveHeadsEdit, Units } from '../pass.ts';
import { headMagnitudes } from './choose/magnitude.ts';
import type { TextOptions } from './damping.ts';
import { planByText } from './plan-by-text.ts';
import { headLayers } from './prunable.ts';
import { needsText, type Repair, type Score, settle } from './settle.ts';
import { headSite, sitesOf } from './sites.ts';
import { cheapest, listed, type Removal } from './units.ts';

export interface HeadOptions extends TextOptions {
  readonly remove: Units;
  readonly fraction: number | null;
  readonly labels: string;
  readonly by: 'auto' | Score;
  readonly repair: 'auto' | Repair;
}

/** Of the refit: the better of 0.03 and 0.1 for half of MiniLM's heads and 2,048 sentences. */
const usualDamping = 0.1;

export async function planHeads(anatomy: Anatomy, options: HeadOptions, context: PassContext): Promise<Plan> {
  const { model } = context;
  if (anatomy.layers.length === 0) return { edits: [], skipped: [{ target: model.name, reason: noLayers(anatomy) }] };
  const { layers, skipped } = headLayers(anatomy);
  const given = givenHeads(anatomy, layers, options, context);
  if (layers.length === 0) return { edits: [], skipped };
  const settled = settle(options, context);
  const total = totalOf(layers, options.fraction ?? 0);
  if (context.dryRun || !needsText(settled, given !== undefined)) {
    const removal = given ?? cheapest(await headScores(layers, settled.by, context), total);
    return { edits: headEdits(removal), skipped, notes: settled.notes };
  }
  const isScored = !given && settled.by === 'magnitude';
  const removal = given ?? (isScored ? cheapest(await headScores(layers, settled.by, context), total) : { total });
  const { edits, notes } = await planByText(sitesOf(anatomy, layers, headSite), removal, settled, options, usualDamping, context);
  return { edits, skipped, notes: [...settled.notes, ...notes] };
}

/** A head of each layer stays. */
const totalOf = (layers: readonly Layer[], fraction: number): number => {
  const all = layers.reduce((sum, { heads }) => sum + heads, 0);
  return Math.min(Math.round(all * fraction), all - layers.length);
};

const headEdits = (removal: Removal): RemoveHeadsEdit[] =>
  [...removal].map(([layer, heads]) => ({ kind: 'remove-heads', layer, heads }));

/** The person's list, without layers that cannot lose any. undefined where a share is to go instead */
function givenHeads(
  anatomy: Anatomy,
  layers: readonly Layer[],
  { remove, fraction }: HeadOptions,
  { model }: PassContext,
): Removal | undefined {
  const isListed = Object.keys(remove).length > 0;
  if (isListed && fraction !== null) throw bothGiven(model.name, 'remove', 'fraction');
  if (!isListed && fraction === null) throw noneGiven(model.name, 'remove', 'fraction');
  if (!isListed) return undefined;
  return prunableOf(
    listed(model, anatomy, remove, layer => anatomy.layers[layer]!.heads),
    anatomy,
    layers,
  );
}

export const prunableOf = (removal: Removal, anatomy: Anatomy, layers: readonly Layer[]): Removal =>
  new Map([...removal].filter(([layer]) => layers.some(({ index }) => index === anatomy.layers[layer]!.stored)));

/** In a dry run of a method that looks at text a guess: heads are as large as each other. */
async function headScores(
  layers: readonly Layer[],
  by: Score,
  { signal }: PassContext,
): Promise<ReadonlyMap<number, readonly number[]>> {
  const scores = new Map<number, readonly number[]>();
  for (const layer of layers)
    scores.set(
      layer.index,
      by === 'magnitude' ? await headMagnitudes(layer, signal) : Array.from({ length: layer.heads }, (_, head) => head),
    );
  return scores;
}

export const noLayers = ({ notBert }: Anatomy): Sentence => notBert ?? sentence('No BERT layers were found.');

export const bothGiven = (file: string, one: string, other: string) =>
  fail('bad-recipe', 'Give {one} or {other}, not both.', { one, other }, { file });

export const noneGiven = (file: string, one: string, other: string) =>
  fail('bad-recipe', 'What to remove is not said: give {one} or {other}.', { one, other }, { file });
