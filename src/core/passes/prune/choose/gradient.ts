import type { Calibration, Gated, TextVectors } from '../../../calibration/calibration.ts';
import { throwIfCancelled } from '../../../errors.ts';
import type { Edit, Labelled, PassContext } from '../../pass.ts';
import { eachSite } from '../by-text.ts';
import { fitAt } from '../fit-at.ts';
import type { Site } from '../sites.ts';
import { contributions } from './activation.ts';
import { slopeFor } from './slope.ts';

/** The gates of a unit move this far from 1 to both sides: far above the rounding of fp32, and small beside what bends. */
export const step = 0.1;

/** Texts that are used when it is not said: two runs for each head are many. */
export const usualTexts = 128;

/** Units of a site that are moved one by one; where there are more, together in as many groups as `groups` says. */
const mostSingly = 64;
const groups = 16;

/**
 * How fast what the model says changes when a unit is scaled, by layer [units]: the mean over texts of |dL / d gate|, L the loss against
 * the labels where there are any, else the cross-entropy of the class that the model itself predicts; of a model without classes, the
 * length of the change of the text's unit vector. The scores of a layer are divided by their length, as Michel et al. do.
 * Neurons are too many to be moved one by one: those of a layer that add about as much to its output are moved together, and what the
 * loss changes by is shared out by what each adds.
 * source  Michel et al., Are Sixteen Heads Really Better than One?, NeurIPS 2019, equation 2; derivatives by central differences
 */
export async function gradients(
  calibration: Calibration<Edit>,
  sites: readonly Site[],
  texts: number | undefined,
  { progress, signal }: Pick<PassContext, 'progress' | 'signal'>,
  labels?: Labelled['labels'],
): Promise<ReadonlyMap<number, readonly number[]>> {
  const used = Math.min(calibration.texts, texts ?? usualTexts);
  const grouped = await groupsOf(calibration, sites, used, signal);
  const total = [...grouped.values()].reduce((sum, each) => sum + each.length, 0);
  const gated = await calibration.gated(
    sites.map(({ linear }) => linear.id),
    used,
  );
  try {
    const found = new Map<number, number[]>();
    const slope = slopeFor(await gated.run(new Map()), labels, step);
    let done = 0;
    for (const [site, each] of grouped) {
      const scores = new Array<number>(site.units).fill(0);
      for (const { units, shares } of each) {
        throwIfCancelled(signal);
        progress?.(done++ / total, site.linear.id);
        const found = slope(await runAt(gated, site, units, 1 - step), await runAt(gated, site, units, 1 + step));
        for (const [place, unit] of units.entries()) scores[unit] = found * shares[place]!;
      }
      const length = Math.hypot(...scores) || 1;
      found.set(
        site.layer,
        scores.map(score => score / length),
      );
    }
    return found;
  } finally {
    await gated.close();
  }
}

/** Units that are moved together, and each one's share of what that changes. */
interface Group {
  readonly units: readonly number[];
  readonly shares: readonly number[];
}

async function groupsOf(
  calibration: Calibration<Edit>,
  sites: readonly Site[],
  texts: number,
  signal?: AbortSignal,
): Promise<ReadonlyMap<Site, readonly Group[]>> {
  const found = new Map<Site, readonly Group[]>();
  for (const site of sites)
    if (site.units <= mostSingly)
      found.set(
        site,
        Array.from({ length: site.units }, (_, unit) => ({ units: [unit], shares: [1] })),
      );
  const many = sites.filter(site => site.units > mostSingly);
  if (many.length === 0) return found;
  await eachSite(calibration, many, texts, { ...(signal && { signal }) }, async (walk, site) => {
    found.set(site, alike(contributions(await fitAt(calibration, walk, site, false, signal), site.width)));
    return [];
  });
  return found;
}

/** Groups of as many units each, by what they add: least first. */
export function alike(added: readonly number[], count = groups): Group[] {
  const order = added.map((_, unit) => unit).sort((a, b) => added[a]! - added[b]! || a - b);
  return Array.from({ length: count }, (_, group) => {
    const units = order.slice(Math.floor((order.length * group) / count), Math.floor((order.length * (group + 1)) / count));
    const sum = units.reduce((total, unit) => total + added[unit]!, 0);
    return { units, shares: units.map(unit => (sum > 0 ? added[unit]! / sum : 1 / units.length)) };
  }).filter(({ units }) => units.length > 0);
}

function runAt(gated: Gated, { linear, width }: Site, units: readonly number[], gate: number): Promise<TextVectors> {
  const gates = new Float32Array(linear.in).fill(1);
  for (const unit of units) gates.fill(gate, unit * width, (unit + 1) * width);
  return gated.run(new Map([[linear.id, gates]]));
}
