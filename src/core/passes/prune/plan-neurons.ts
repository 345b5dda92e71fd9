import type { Anatomy, Layer } from '../../anatomy/anatomy.ts';
import type { PassContext, Plan, RemoveNeuronsEdit, Skipped, Units } from '../pass.ts';
import { neuronMagnitudes } from './choose/magnitude.ts';
import { bothGiven, noLayers, noneGiven } from './plan-heads.ts';
import { neuronsKept } from './prunable.ts';
import { cheapest, complement, listed, type Removal } from './units.ts';

export interface NeuronOptions {
  readonly remove: Units;
  readonly keep: Units;
  readonly fraction: number | null;
  readonly by: string;
  readonly repair: string;
}

export async function planNeurons(anatomy: Anatomy, options: NeuronOptions, context: PassContext): Promise<Plan> {
  const { model } = context;
  if (anatomy.layers.length === 0) return { edits: [], skipped: [{ target: model.name, reason: noLayers(anatomy) }] };
  const skipped: Skipped[] = [];
  const layers = anatomy.layers.filter(layer => {
    if (layer.stored !== layer.index) return false;
    const reason = neuronsKept(layer);
    if (reason) skipped.push({ target: layer.up.id, reason });
    return !reason;
  });
  const removal = await choose(anatomy, layers, options, context);
  const edits: RemoveNeuronsEdit[] = [];
  for (const [layer, neurons] of removal)
    if (layers.some(({ index }) => index === anatomy.layers[layer]!.stored))
      edits.push({ kind: 'remove-neurons', layer, neurons });
  return { edits, skipped };
}

async function choose(
  anatomy: Anatomy,
  layers: readonly Layer[],
  { remove, keep, fraction }: NeuronOptions,
  { model, dryRun, signal }: PassContext,
): Promise<Removal> {
  const width = (layer: number) => anatomy.layers[layer]!.down.in;
  const given = { remove: Object.keys(remove).length > 0, keep: Object.keys(keep).length > 0, fraction: fraction !== null };
  const [one, other] = Object.entries(given).flatMap(([name, isGiven]) => (isGiven ? [name] : []));
  if (one === undefined) throw noneGiven(model.name, 'remove', 'fraction');
  if (other !== undefined) throw bothGiven(model.name, one, other);
  if (given.remove) return listed(model, anatomy, remove, width);
  if (given.keep) {
    const kept = listed(model, anatomy, keep, layer => width(layer) + 1);
    return listed(
      model,
      anatomy,
      Object.fromEntries([...kept].map(([layer, neurons]) => [layer, complement(neurons, width(layer))])),
      width,
    );
  }
  // The same share of every layer: what one loses locally says little about the whole.
  const removal = new Map<number, readonly number[]>();
  for (const layer of layers) {
    const total = Math.round(layer.down.in * fraction!);
    // Every layer loses as many: which ones does not change a size.
    const scores = dryRun ? new Array<number>(layer.down.in).fill(0) : await neuronMagnitudes(layer, signal);
    for (const [index, neurons] of cheapest(new Map([[layer.index, scores]]), total)) removal.set(index, neurons);
  }
  return removal;
}
