import type { Anatomy, Layer } from '../../anatomy/anatomy.ts';
import type { PassContext, Plan, RemoveNeuronsEdit, Units } from '../pass.ts';
import { neuronMagnitudes } from './choose/magnitude.ts';
import type { TextOptions } from './damping.ts';
import { cheapestOfEach, planByText } from './plan-by-text.ts';
import { bothGiven, noLayers, noneGiven, prunableOf } from './plan-heads.ts';
import { neuronLayers } from './prunable.ts';
import { needsText, type Repair, type Score, settle } from './settle.ts';
import { neuronSite, sitesOf } from './sites.ts';
import { complement, listed, type Removal } from './units.ts';

export interface NeuronOptions extends TextOptions {
  readonly remove: Units;
  readonly keep: Units;
  readonly fraction: number | null;
  readonly labels: string;
  readonly by: 'auto' | Score;
  readonly repair: 'auto' | Repair;
}

/** Of the refit: the best of 0.001 to 0.3 for the 1,536 inputs of MiniLM. */
const usualDamping = 0.1;

/** Widths that kernels work on without a rest, where a layer is wide enough for it to be a small change. */
const multiple = 32;

export async function planNeurons(anatomy: Anatomy, options: NeuronOptions, context: PassContext): Promise<Plan> {
  const { model, dryRun, signal } = context;
  if (anatomy.layers.length === 0) return { edits: [], skipped: [{ target: model.name, reason: noLayers(anatomy) }] };
  const { layers, skipped } = neuronLayers(anatomy);
  const given = givenNeurons(anatomy, layers, options, context);
  if (layers.length === 0) return { edits: [], skipped };
  const settled = settle(options, context);
  // The same share of every layer: what one loses locally says little about the whole.
  const counts = new Map(layers.map(({ index, down }) => [index, removedOf(down.in, options.fraction ?? 0)]));
  const byMagnitude = async () => {
    const scores = new Map<number, readonly number[]>();
    // Every layer loses as many: which ones does not change a size.
    for (const layer of layers)
      scores.set(layer.index, dryRun ? new Array<number>(layer.down.in).fill(0) : await neuronMagnitudes(layer, signal));
    return cheapestOfEach(scores, counts);
  };
  if (dryRun || !needsText(settled, given !== undefined))
    return { edits: neuronEdits(given ?? (await byMagnitude())), skipped, notes: settled.notes };
  const removal = given ?? (settled.by === 'magnitude' ? await byMagnitude() : { counts });
  const { edits, notes } = await planByText(
    sitesOf(anatomy, layers, neuronSite),
    removal,
    settled,
    options,
    usualDamping,
    context,
  );
  return { edits, skipped, notes: [...settled.notes, ...notes] };
}

function removedOf(width: number, fraction: number): number {
  const kept = width * (1 - fraction);
  const round = width >= 16 * multiple && width % multiple === 0 ? multiple : 1;
  return width - Math.max(round, Math.round(kept / round) * round);
}

const neuronEdits = (removal: Removal): RemoveNeuronsEdit[] =>
  [...removal].map(([layer, neurons]) => ({ kind: 'remove-neurons', layer, neurons }));

/** The person's list, without layers that cannot lose any. undefined where a share is to go instead */
function givenNeurons(
  anatomy: Anatomy,
  layers: readonly Layer[],
  { remove, keep, fraction }: NeuronOptions,
  { model }: PassContext,
): Removal | undefined {
  const width = (layer: number) => anatomy.layers[layer]!.down.in;
  const given = { remove: Object.keys(remove).length > 0, keep: Object.keys(keep).length > 0, fraction: fraction !== null };
  const [one, other] = Object.entries(given).flatMap(([name, isGiven]) => (isGiven ? [name] : []));
  if (one === undefined) throw noneGiven(model.name, 'remove', 'fraction');
  if (other !== undefined) throw bothGiven(model.name, one, other);
  if (given.fraction) return undefined;
  if (given.remove) return prunableOf(listed(model, anatomy, remove, width), anatomy, layers);
  const kept = listed(model, anatomy, keep, width, 'kept');
  const gone = [...kept].map(([layer, neurons]) => [layer, complement(neurons, width(layer))]);
  return prunableOf(listed(model, anatomy, Object.fromEntries(gone), width), anatomy, layers);
}
