import type { Anatomy } from '../../anatomy/anatomy.ts';
import { fail, type Sentence, sentence } from '../../errors.ts';
import type { Model } from '../../model/model.ts';
import { calibrationOf } from '../calibration-of.ts';
import type { Edit, PassContext, Plan } from '../pass.ts';
import { byAgreement } from './choose/agreement.ts';
import { influences } from './choose/influence.ts';
import { byPosition, type Position } from './choose/position.ts';
import { dampingFor, type TextOptions } from './damping.ts';
import { noLayers } from './plan-heads.ts';
import { cannot, notCuttable, turnsHidden } from './prunable.ts';
import { repairLayers } from './repair/layers.ts';
import { complement } from './units.ts';

export interface LayerOptions extends TextOptions {
  readonly remove: readonly number[];
  readonly keep: readonly number[];
  readonly count: number | null;
  readonly by: 'auto' | 'position' | 'influence' | 'agreement';
  readonly position: Position;
  readonly repair: 'auto' | 'none' | 'least-squares';
}

/** Of the refit of what stays: 0.001 of the mean diagonal for 512 sentences. */
const usualDamping = 0.01;

export async function planLayers(anatomy: Anatomy, options: LayerOptions, context: PassContext): Promise<Plan> {
  const { model, calibration, dryRun } = context;
  const { layers } = anatomy;
  if (layers.length === 0) return { edits: [], skipped: [{ target: model.name, reason: noLayers(anatomy) }] };
  const turned = turnsHidden(anatomy);
  if (turned) return { edits: [], skipped: [{ target: model.name, reason: turned }] };
  const listed = listedLayers(model, layers.length, options);
  const by = options.by === 'auto' ? (calibration ? 'agreement' : 'position') : options.by;
  const kept = unrepairable(anatomy);
  if (options.repair === 'least-squares' && kept) throw cannot(model, kept);
  const repair = options.repair === 'auto' ? (calibration && !kept ? 'least-squares' : 'none') : options.repair;
  const notes: Sentence[] = [];
  if ((options.by === 'auto' && !listed) || options.repair === 'auto')
    notes.push(listed ? sentence('repair: {repair}.', { repair }) : sentence('by: {by}, repair: {repair}.', { by, repair }));
  const removed = listed ?? (await chosen(options, by, layers.length, context));
  if (removed.length === 0) return { edits: [], skipped: [] };
  const removal: Edit = { kind: 'remove-layers', layers: removed };
  if (repair === 'none' || dryRun) return { edits: [removal], skipped: [], notes };
  const texts = await calibrationOf(context, `repair: ${repair}`);
  const inputs = Math.max(...layers.map(({ down }) => down.in));
  const { damping, note } = dampingFor(options, usualDamping, inputs, texts);
  const repaired = await repairLayers(texts, anatomy, removed, { damping, texts: options.sentences ?? undefined }, context);
  return { edits: [...repaired, removal], skipped: [], notes: [...notes, ...(note ? [note] : [])] };
}

/** The layers that a person's list removes, ascending; undefined where a count says how many. */
function listedLayers(model: Model, layers: number, { remove, keep, count }: LayerOptions): readonly number[] | undefined {
  const given = { remove: remove.length > 0, keep: keep.length > 0, count: count !== null };
  const [one, other] = Object.entries(given).flatMap(([name, isGiven]) => (isGiven ? [name] : []));
  if (one === undefined) throw nothingSaid(model);
  if (other !== undefined) throw fail('bad-recipe', 'Give {one} or {other}, not both.', { one, other }, { file: model.name });
  const missing = [...remove, ...keep].find(layer => layer >= layers);
  if (missing !== undefined)
    throw fail(
      'bad-recipe',
      'There is no layer {layer}: the model has {count}, counted from 0.',
      { layer: missing, count: layers },
      { file: model.name },
    );
  const gone = given.keep ? complement(keep, layers) : [...remove].sort((a, b) => a - b);
  if (gone.length === layers || (count ?? 0) >= layers)
    throw fail('bad-recipe', 'All {count} layers would go; one at least must stay.', { count: layers }, { file: model.name });
  return given.count ? undefined : gone;
}

const nothingSaid = (model: Model) =>
  fail(
    'bad-recipe',
    'What to remove is not said: give {one} or {other}.',
    { one: 'remove', other: 'count' },
    { file: model.name },
  );

async function chosen(
  { count, position, sentences }: LayerOptions,
  by: 'position' | 'influence' | 'agreement',
  layers: number,
  context: PassContext,
): Promise<readonly number[]> {
  // Layers are as large as each other: in a dry run any will do.
  if (by === 'position' || context.dryRun) return byPosition(layers, count!, position);
  const calibration = await calibrationOf(context, `by: ${by}`);
  const texts = sentences ?? undefined;
  if (by === 'agreement') return byAgreement(calibration, layers, count!, texts, context);
  const scores = await influences(calibration, texts, context, layers);
  const order = scores.map((_, layer) => layer).sort((a, b) => scores[a]! - scores[b]! || a - b);
  return order.slice(0, count!).sort((a, b) => a - b);
}

/** Why what stays cannot be refitted, if it cannot. */
function unrepairable({ layers }: Anatomy): Sentence | undefined {
  if (layers.some(({ index, stored }) => index !== stored))
    return sentence('Layers of this model share their weights, so none can be refitted alone.');
  for (const { output, down } of layers) {
    const reason = notCuttable(output) ?? notCuttable(down);
    if (reason) return reason;
  }
  return undefined;
}
