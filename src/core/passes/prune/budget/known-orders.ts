import type { PassContext } from '../../pass.ts';
import { gradientsOf } from '../choose/gradients-of.ts';
import { headMagnitudes, neuronMagnitudes } from '../choose/magnitude.ts';
import type { Order } from '../choose/order.ts';
import type { Score } from '../settle.ts';
import type { Site } from '../sites.ts';

/** The orders in which units go by scores that do not depend on what is cut below them; undefined for the others. */
export async function knownOrders(
  sites: readonly Site[],
  by: Score,
  options: { readonly labels: string; readonly sentences: number | null },
  context: PassContext,
): Promise<ReadonlyMap<Site, Order> | undefined> {
  if (by === 'magnitude') return magnitudeOrders(sites, context.signal);
  if (by !== 'gradient') return undefined;
  const found = new Map<Site, Order>();
  for (const part of ['attention', 'feed-forward'] as const) {
    const own = sites.filter(site => site.part === part);
    const scores = await gradientsOf(own, options, context);
    for (const site of own) found.set(site, ascending(scores.get(site.layer)!));
  }
  return found;
}

export async function magnitudeOrders(sites: readonly Site[], signal?: AbortSignal): Promise<ReadonlyMap<Site, Order>> {
  const found = new Map<Site, Order>();
  for (const site of sites) {
    const magnitudes = site.part === 'attention' ? headMagnitudes : neuronMagnitudes;
    found.set(site, ascending(await magnitudes(site.of, signal)));
  }
  return found;
}

/** Lowest first; how many are gone stands for their cost. */
function ascending(scores: readonly number[]): Order {
  const units = scores.map((_, unit) => unit).sort((a, b) => scores[a]! - scores[b]! || a - b);
  return { units, costs: units.map((_, place) => place + 1) };
}
