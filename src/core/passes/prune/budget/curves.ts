import type { Calibration } from '../../../calibration/calibration.ts';
import { throwIfCancelled } from '../../../errors.ts';
import type { Edit, PassContext } from '../../pass.ts';
import { eachSite, refit, type TextTask } from '../by-text.ts';
import type { Order } from '../choose/order.ts';
import type { Fit } from '../fit.ts';
import { fitAt } from '../fit-at.ts';
import { keptInputs, type Site } from '../sites.ts';
import { driftOf } from './drift.ts';

/** What the whole model loses as units of one site go. */
export interface Curve {
  readonly site: Site;
  /** In the order in which they go, all but the last. */
  readonly units: readonly number[];
  /** How far the model's outputs drift when the first `count` go and the site is repaired, nothing else being cut. Ascending. */
  drift(count: number): number;
}

export interface CurveTask extends Pick<TextTask, 'sites' | 'repair' | 'damping'> {
  order(site: Site, fit: Fit): Promise<Order>;
  /** For the fits. */
  readonly texts: number;
  /** On which the drift of the whole model is measured: so many from the first of them. */
  readonly measured: readonly [count: number, first: number];
}

/** Shares of a site's units at which the whole model is run; between them the drift follows a power of the site's own error. */
const levels = [1 / 12, 1 / 6, 1 / 3, 1 / 2, 5 / 6];

/** Each site cut and repaired alone, at a few levels: what that does to what the model says, not to the site. */
export async function driftCurves(
  calibration: Calibration<Edit>,
  task: CurveTask,
  context: Pick<PassContext, 'progress' | 'signal'>,
) {
  const original = await calibration.vectors([], ...task.measured);
  const curves: Curve[] = [];
  await eachSite(calibration, task.sites, task.texts, context, async (walk, site) => {
    const fit = await fitAt(calibration, walk, site, false, context.signal);
    const { units, costs } = await task.order(site, fit);
    const points: Point[] = [];
    for (const count of new Set(levels.map(level => Math.round(level * site.units)))) {
      if (count === 0 || count >= site.units) continue;
      throwIfCancelled(context.signal);
      const removed = units.slice(0, count).sort((a, b) => a - b);
      const edit = site.removal(removed, refit(site, fit, keptInputs(site, removed), task));
      const drift = driftOf(original, await calibration.vectors([edit], ...task.measured));
      points.push({ error: costs[count - 1]!, drift });
    }
    curves.push({ site, units: units.slice(0, site.units - 1), drift: through(points, costs) });
    return [];
  });
  return curves;
}

interface Point {
  /** Of the site alone. */
  readonly error: number;
  /** Of the whole model. */
  readonly drift: number;
}

const tiny = 1e-12;

/** The curve through the points by count, straight where both are logarithms; never falling. */
export function through(points: readonly Point[], costs: readonly number[]): (count: number) => number {
  if (points.length === 0) return count => costs[count - 1] ?? 0;
  const logs = points.map(({ error, drift }) => [Math.log(Math.max(error, tiny)), Math.log(Math.max(drift, tiny))] as const);
  const drifts: number[] = [0];
  for (const cost of costs) {
    const x = Math.log(Math.max(cost, tiny));
    const after = logs.findIndex(([error]) => error >= x);
    const upper = Math.min(Math.max(1, after < 0 ? logs.length - 1 : after), logs.length - 1);
    const [b, a] = [logs[upper]!, logs[Math.max(0, upper - 1)]!];
    const slope = b[0] > a[0] ? Math.max(0, (b[1] - a[1]) / (b[0] - a[0])) : 1;
    drifts.push(Math.max(drifts.at(-1)!, Math.exp(a[1] + slope * (x - a[0]))));
  }
  return count => drifts[count]!;
}
