import type { Calibration, Walk } from '../../calibration/calibration.ts';
import { throwIfCancelled } from '../../errors.ts';
import type { Edit, PassContext, Refitted } from '../pass.ts';
import { contributions } from './choose/activation.ts';
import { type Order, removalOrder } from './choose/order.ts';
import { spend } from './choose/spend.ts';
import type { Fit } from './fit.ts';
import { fitAt } from './fit-at.ts';
import { storedAs, typed } from './matrix.ts';
import { foldedMeans, ridge } from './repair/ridge.ts';
import type { Repair } from './settle.ts';
import { keptInputs, type Site } from './sites.ts';

export type TextScore = 'activation' | 'reconstruction';

/** What is cut and how it is repaired, where that takes the model running on text. */
export interface TextTask {
  /** In the order of the layers; at most one a half. */
  readonly sites: readonly Site[];
  /** The units of a site that go, or how many do and what chooses them. */
  readonly cut: (site: Site) => Cut;
  readonly repair: Repair;
  /** Of the mean of the diagonal, at each site. */
  readonly damping: (site: Site) => number;
  /** How many of the texts are used; all when absent. */
  readonly texts?: number | undefined;
}

export type Cut = readonly number[] | { readonly count: number; readonly by: TextScore };

type Context = Pick<PassContext, 'progress' | 'signal'>;

/**
 * Cuts and repairs half by half from below, each half on what the halves below it give by then: units are scored, and the matrix
 * behind the cut is fitted, on the activations that it will meet.
 */
export async function cutByText(calibration: Calibration<Edit>, task: TextTask, context: Context): Promise<Edit[]> {
  const { sites, repair, texts } = task;
  const edits: Edit[] = [];
  // A repair takes back what earlier steps of a recipe lost, too.
  const towards = repair === 'least-squares' ? 'source' : 'itself';
  let isApart = false;
  const visit = async (walk: Walk<Edit>, site: Site) => {
    isApart ||= walk.isFromSource;
    const cut = task.cut(site);
    const count = isListed(cut) ? cut.length : cut.count;
    if (count === 0 && !(isApart && repair === 'least-squares')) return [];
    const fit = await fitAt(calibration, walk, site, isApart, context.signal);
    const removed = count === 0 ? [] : await unitsAt(cut, task, site, fit, context.signal);
    const kept = keptInputs(site, removed);
    const refitted = refit(site, fit, kept, task);
    const edit: Edit =
      removed.length > 0 ? site.removal(removed, refitted) : { kind: 'replace', target: site.linear, ...refitted };
    edits.push(edit);
    isApart = true;
    return [edit];
  };
  await eachSite(calibration, sites, texts, context, visit, towards);
  return edits;
}

const isListed = (cut: Cut): cut is readonly number[] => 'length' in cut;

/** The units of a site that go, ascending. */
export async function unitsAt(
  cut: Cut,
  { damping }: Pick<TextTask, 'damping'>,
  site: Site,
  fit: Fit,
  signal?: AbortSignal,
): Promise<readonly number[]> {
  if (isListed(cut)) return cut;
  if (cut.count === 0) return [];
  const { units } = await orderAt(fit, site, cut.by, cut.count, damping(site), signal);
  return units.slice(0, cut.count).sort((a, b) => a - b);
}

/** What is done to the matrix behind a cut. */
export function refit(
  site: Site,
  fit: Fit,
  kept: readonly number[],
  { repair, damping }: Pick<TextTask, 'repair' | 'damping'>,
): Refitted | undefined {
  if (repair === 'none') return undefined;
  const { linear } = site;
  const { weight_KO, bias_O } = repair === 'bias' ? foldedMeans(fit, kept) : ridge(fit, kept, damping(site));
  return {
    ...(repair === 'least-squares' && { weight: storedAs(linear, weight_KO) }),
    ...(bias_O && { bias: typed(linear.bias!, linear.bias!.shape, Float32Array.from(bias_O)) }),
  };
}

/** What the first, the first two, … units cost that a site loses, all but one, beside what its norm reads, where `runs` layers lose them. */
export async function costsAt(
  fit: Fit,
  site: Site,
  by: TextScore,
  damping: number,
  runs: number,
  signal: AbortSignal | undefined,
): Promise<number[]> {
  const most = site.units - 1;
  const { costs } = await orderAt(fit, site, by, most, damping, signal);
  return Array.from(costs.slice(0, most), cost => (cost * runs) / fit.scale);
}

/** How many units each layer loses so that what they cost, each layer's beside what its norm reads, is least in all. */
export async function spentByCost(
  calibration: Calibration<Edit>,
  sites: readonly Site[],
  total: number,
  { by, damping, texts }: { readonly by: TextScore; readonly damping: number; readonly texts: number | undefined },
  context: Context,
): Promise<ReadonlyMap<number, number>> {
  const costs: number[][] = [];
  await eachSite(calibration, sites, texts, context, async (walk, site) => {
    const fit = await fitAt(calibration, walk, site, false, context.signal);
    costs.push(await costsAt(fit, site, by, damping, 1, context.signal));
    return [];
  });
  const counts = spend(costs, total);
  return new Map(sites.map(({ layer }, place) => [layer, counts[place]!]));
}

/** Units in the order in which they go, `most` of them at least, and the squared error up to each. */
export const orderAt = async (
  fit: Fit,
  { width }: Site,
  by: TextScore,
  most: number,
  damping: number,
  signal?: AbortSignal,
): Promise<Order> => (by === 'reconstruction' ? removalOrder(fit, width, most, damping, pauseOf(signal)) : ordered(fit, width));

/** Cheapest first, one by one. */
function ordered(fit: Fit, width: number): Order {
  const scores = contributions(fit, width).map(score => score * fit.scale);
  const units = scores.map((_, unit) => unit).sort((a, b) => scores[a]! - scores[b]! || a - b);
  let sum = 0;
  return { units, costs: units.map(unit => (sum += scores[unit]!)) };
}

/** Goes through the halves from below and stops at each site; the current stream goes on with the edits that `visit` gives. */
export async function eachSite(
  calibration: Calibration<Edit>,
  sites: readonly Site[],
  texts: number | undefined,
  { progress, signal }: Context,
  visit: (walk: Walk<Edit>, site: Site) => Promise<readonly Edit[]>,
  towards: 'itself' | 'source' = 'itself',
): Promise<void> {
  const walk = await calibration.walk([], texts, towards);
  let left = sites.length;
  while (walk.at && left > 0) {
    throwIfCancelled(signal);
    const { layer, part } = walk.at;
    const site = sites.find(each => each.layer === layer && each.part === part);
    if (site) progress?.((sites.length - left--) / sites.length, site.linear.id);
    const edits = site ? await visit(walk, site) : [];
    if (left > 0) await walk.advance(edits);
  }
}

const pauseOf = (signal?: AbortSignal) => async () => {
  await new Promise(resolve => setImmediate(resolve));
  throwIfCancelled(signal);
};
