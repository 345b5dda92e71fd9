import type { Anatomy, Linear } from '../../anatomy/anatomy.ts';
import { linearsIn } from '../../anatomy/anatomy.ts';
import type { Calibration, Tap } from '../../calibration/calibration.ts';
import { throwIfCancelled } from '../../errors.ts';
import { kernels } from '../../kernels/kernels.ts';
import type { Edit, PassContext } from '../pass.ts';

/** A matrix of a layer, and the value of the graph that it multiplies. */
export interface Site {
  readonly linear: Linear;
  readonly value: string;
}

/** Gives the rows of an activation, batch by batch. Called for each value of the graph that a matrix of a layer reads. */
export type Look = (value: string, rows_NI: Float32Array, width: number) => void;

/** Runs the model on the calibration text once and looks at what each matrix of the layers reads. */
export async function observeInputs(
  anatomy: Anatomy,
  calibration: Calibration<Edit>,
  look: Look,
  { progress, signal }: Pick<PassContext, 'progress' | 'signal'>,
): Promise<void> {
  const walk = await calibration.walk();
  for (let done = 0; walk.at; done++) {
    throwIfCancelled(signal);
    progress?.(done / (2 * anatomy.layers.length), `encoder.layer.${walk.at.layer}`);
    const sites = sitesOf(anatomy, walk.at.layer, walk.at.part);
    const taps = new Map(sites.map(site => [site.value, site]));
    const asked = [...taps.values()].map(({ linear }): Tap => `${linear.id}:in`);
    await walk.observe('original', asked, [], batch => {
      for (const [value, { linear }] of taps) look(value, batch.get(`${linear.id}:in`), linear.in);
    });
    await walk.advance([]);
  }
}

/** What would be looked at. */
export const observedSites = (anatomy: Anatomy): Site[] =>
  anatomy.layers.flatMap((_, index) => [...sitesOf(anatomy, index, 'attention'), ...sitesOf(anatomy, index, 'feed-forward')]);

function sitesOf({ layers }: Anatomy, index: number, part: 'attention' | 'feed-forward'): Site[] {
  const layer = layers[index]!;
  const late = new Set([layer.up, layer.gate, layer.down].map(linear => linear?.within ?? linear));
  for (const { part: at, linear } of layer.extra ?? []) if (at === 'feed-forward' && linear) late.add(linear);
  return linearsIn(layer)
    .filter(linear => linear.form === 'dense' && late.has(linear) === (part === 'feed-forward'))
    .flatMap(linear => {
      const value = linear.nodes[0]?.inputs[0];
      return value === undefined ? [] : [{ linear, value }];
    });
}

/** The largest magnitudes of activations, where there is text to look at. A dry run is told only what would be looked at. */
export async function observedIfText(
  anatomy: Anatomy,
  context: PassContext,
): Promise<ReadonlyMap<string, Float32Array> | undefined> {
  const { calibration, dryRun } = context;
  if (!calibration || anatomy.layers.length === 0) return undefined;
  if (dryRun) return new Map(observedSites(anatomy).map(({ value, linear }) => [value, new Float32Array(linear.in)]));
  return largestInputs(anatomy, await calibration(), context);
}

/** The largest magnitude of each channel of each activation, by value. */
async function largestInputs(
  anatomy: Anatomy,
  calibration: Calibration<Edit>,
  context: Pick<PassContext, 'progress' | 'signal'>,
): Promise<ReadonlyMap<string, Float32Array>> {
  const found = new Map<string, Float32Array>();
  const look: Look = (value, rows_NI, width) => {
    const into = found.get(value) ?? new Float32Array(width);
    found.set(value, into);
    kernels.absMaxByColumn(rows_NI, into);
  };
  await observeInputs(anatomy, calibration, look, context);
  return found;
}
