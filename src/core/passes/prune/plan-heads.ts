import type { Anatomy, Layer } from '../../anatomy/anatomy.ts';
import { fail, type Sentence, sentence } from '../../errors.ts';
import type { PassContext, Plan, RemoveHeadsEdit, Skipped, Units } from '../pass.ts';
import { headMagnitudes } from './choose/magnitude.ts';
import { headsKept } from './prunable.ts';
import { cheapest, listed, type Removal } from './units.ts';

export interface HeadOptions {
  readonly remove: Units;
  readonly fraction: number | null;
  readonly by: string;
  readonly repair: string;
}

export async function planHeads(anatomy: Anatomy, options: HeadOptions, context: PassContext): Promise<Plan> {
  const { model } = context;
  if (anatomy.layers.length === 0) return { edits: [], skipped: [{ target: model.name, reason: noLayers(anatomy) }] };
  const skipped: Skipped[] = [];
  const layers = anatomy.layers.filter(layer => {
    if (layer.stored !== layer.index) return false;
    const reason = headsKept(anatomy, layer);
    if (reason) skipped.push({ target: `encoder.layer.${layer.index}.attention`, reason });
    return !reason;
  });
  const removal = await choose(anatomy, layers, options, context);
  const edits: RemoveHeadsEdit[] = [];
  for (const [layer, heads] of removal)
    if (layers.some(({ index }) => index === anatomy.layers[layer]!.stored)) edits.push({ kind: 'remove-heads', layer, heads });
  return { edits, skipped };
}

async function choose(
  anatomy: Anatomy,
  layers: readonly Layer[],
  { remove, fraction }: HeadOptions,
  { model, signal }: PassContext,
): Promise<Removal> {
  const isListed = Object.keys(remove).length > 0;
  if (isListed && fraction !== null) throw bothGiven(model.name, 'remove', 'fraction');
  if (isListed) return listed(model, anatomy, remove, layer => anatomy.layers[layer]!.heads);
  if (fraction === null) throw noneGiven(model.name, 'remove', 'fraction');
  const total = Math.round(layers.reduce((sum, { heads }) => sum + heads, 0) * fraction);
  const scores = new Map<number, readonly number[]>();
  for (const layer of layers) scores.set(layer.index, await headMagnitudes(layer, signal));
  return cheapest(scores, total);
}

export const noLayers = ({ notBert }: Anatomy): Sentence => notBert ?? sentence('No BERT layers were found.');

export const bothGiven = (file: string, one: string, other: string) =>
  fail('bad-recipe', 'Give {one} or {other}, not both.', { one, other }, { file });

export const noneGiven = (file: string, one: string, other: string) =>
  fail('bad-recipe', 'What to remove is not said: give {one} or {other}.', { one, other }, { file });
