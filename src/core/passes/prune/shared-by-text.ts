import type { Calibration, Moments, TextVectors } from '../../calibration/calibration.ts';
import { throwIfCancelled } from '../../errors.ts';
import type { Edit, PassContext } from '../pass.ts';
import { costsAt, refit, type TextScore, type TextTask, unitsAt } from './by-text.ts';
import { spend } from './choose/spend.ts';
import { type Fit, fitOf } from './fit.ts';
import { type Seen, scaleOf, sumAt } from './fit-at.ts';
import { storedAs, typed } from './matrix.ts';
import { ridge } from './repair/ridge.ts';
import { keptInputs, type Site } from './sites.ts';

type Context = Pick<PassContext, 'progress' | 'signal'>;

/**
 * Cuts and repairs matrices that several layers run with: what all of them read and should give is summed. They cannot be gone through from
 * below one after another, since what is cut above is cut below too: they are fitted on the original's activations, then once more on
 * those of the model as it is cut, and the better of these, and of what is not refitted, is what is kept (on the text, by the vectors).
 */
export async function cutShared(calibration: Calibration<Edit>, task: TextTask, context: Context): Promise<Edit[]> {
  const { sites, repair, texts } = task;
  const fits = await fitsOf(calibration, sites, texts, context);
  const removed = new Map<Site, readonly number[]>();
  for (const [site, fit] of fits) removed.set(site, await unitsAt(task.cut(site), task, site, fit, context.signal));
  const cut = [...removed].filter(([, units]) => units.length > 0);
  const editsWith = (way: TextTask['repair']): Edit[] =>
    cut.map(([site, units]) =>
      site.removal(units, refit(site, fits.get(site)!, keptInputs(site, units), { ...task, repair: way })),
    );
  if (repair !== 'least-squares') return editsWith(repair);
  const ways = (['none', 'bias', 'least-squares'] as const).map(editsWith);
  ways.push(await refitted(calibration, new Map(cut), ways[2]!, task, context));
  return nearest(calibration, ways, texts);
}

/** How many units each set of weights loses so that what they cost is least in all. */
export async function spentShared(
  calibration: Calibration<Edit>,
  sites: readonly Site[],
  total: number,
  { by, damping, texts }: { readonly by: TextScore; readonly damping: number; readonly texts: number | undefined },
  context: Context,
): Promise<ReadonlyMap<number, number>> {
  const fits = await fitsOf(calibration, sites, texts, context);
  const costs: number[][] = [];
  for (const [site, fit] of fits) {
    // Each layer that runs with them loses them.
    const runs = 1 + (site.others?.length ?? 0);
    costs.push(await costsAt(fit, site, by, damping, runs, context.signal));
  }
  const counts = spend(costs, total);
  return new Map(sites.map(({ layer }, place) => [layer, counts[place]!]));
}

/** One walk over the model as it is, all layers of a site in one sum. */
async function fitsOf(
  calibration: Calibration<Edit>,
  sites: readonly Site[],
  texts: number | undefined,
  context: Context,
): Promise<ReadonlyMap<Site, Fit>> {
  const sums = await sumsOver(calibration, sites, texts, [], ({ linear }) => calibration.moments(linear.in, linear.out), context);
  const fits = new Map<Site, Fit>();
  for (const site of sites) {
    const { moments, seen } = sums.get(site)!;
    fits.set(site, await fitOf(site.linear, moments, scaleOf(seen), context.signal));
  }
  return fits;
}

interface Sums {
  readonly moments: Moments;
  readonly seen: Seen[];
}

async function sumsOver(
  calibration: Calibration<Edit>,
  sites: readonly Site[],
  texts: number | undefined,
  edits: readonly Edit[],
  momentsFor: (site: Site) => Moments,
  { progress, signal }: Context,
): Promise<ReadonlyMap<Site, Sums>> {
  const sums = new Map<Site, Sums>();
  const runs = sites.flatMap(site => [site, ...(site.others ?? [])].map(run => ({ site, run })));
  const walk = await calibration.walk([], texts);
  for (let left = runs.length; walk.at && left > 0; ) {
    throwIfCancelled(signal);
    const { layer, part } = walk.at;
    const found = runs.find(({ run }) => run.layer === layer && run.part === part);
    if (found) {
      progress?.((runs.length - left--) / runs.length, found.run.linear.id);
      const known = sums.get(found.site) ?? { moments: momentsFor(found.site), seen: [] };
      sums.set(found.site, known);
      known.seen.push(await sumAt(known.moments, walk, found.run, edits.length > 0, { edits, signal }));
    }
    if (left > 0) await walk.advance(edits);
  }
  return sums;
}

/** The matrices behind the cuts once more, on what they read now that everything is cut. */
async function refitted(
  calibration: Calibration<Edit>,
  removed: ReadonlyMap<Site, readonly number[]>,
  edits: readonly Edit[],
  { texts, damping }: TextTask,
  context: Context,
): Promise<Edit[]> {
  const kept = new Map([...removed].map(([site, units]) => [site, keptInputs(site, units)]));
  const sites = [...removed.keys()];
  const momentsFor = (site: Site) => calibration.moments(kept.get(site)!.length, site.linear.out);
  const sums = await sumsOver(calibration, sites, texts, edits, momentsFor, context);
  const made: Edit[] = [];
  for (const [site, units] of removed) {
    const { moments, seen } = sums.get(site)!;
    const fit = narrowed(await fitOf(site.linear, moments, scaleOf(seen), context.signal), kept.get(site)!);
    const every = Array.from({ length: fit.inputs }, (_, i) => i);
    const { weight_KO, bias_O } = ridge(fit, every, damping(site));
    const { linear } = site;
    made.push(
      site.removal(units, {
        weight: storedAs(linear, weight_KO),
        ...(bias_O && { bias: typed(linear.bias!, linear.bias!.shape, Float32Array.from(bias_O)) }),
      }),
    );
  }
  return made;
}

/** The fit of a matrix of which only these inputs are left. */
function narrowed(fit: Fit, kept: readonly number[]): Fit {
  const { outputs, weight_IO } = fit;
  const weight_KO = new Float64Array(kept.length * outputs);
  for (const [k, i] of kept.entries()) weight_KO.set(weight_IO.subarray(i * outputs, (i + 1) * outputs), k * outputs);
  return { ...fit, inputs: kept.length, weight_IO: weight_KO };
}

/** The edits with which the vectors of the texts stay nearest to the original's. */
async function nearest(calibration: Calibration<Edit>, ways: readonly Edit[][], texts: number | undefined): Promise<Edit[]> {
  const original = await calibration.vectors([], texts);
  let best = ways[0]!;
  let least = Number.POSITIVE_INFINITY;
  for (const edits of ways) {
    const distance = squaredDistance(original, await calibration.vectors(edits, texts));
    if (distance >= least) continue;
    best = edits;
    least = distance;
  }
  return best;
}

function squaredDistance(a: TextVectors, b: TextVectors): number {
  let sum = 0;
  for (let i = 0; i < a.pooled.length; i++) sum += (a.pooled[i]! - b.pooled[i]!) ** 2;
  return sum;
}
