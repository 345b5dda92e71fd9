import type { Sentence } from '../../errors.ts';
import { calibrationOf } from '../calibration-of.ts';
import type { Edit, PassContext } from '../pass.ts';
import { type Cut, cutByText, spentByCost, type TextScore } from './by-text.ts';
import { gradientsOf } from './choose/gradients-of.ts';
import { dampingFor, type TextOptions } from './damping.ts';
import type { Settled } from './settle.ts';
import { cutShared, spentShared } from './shared-by-text.ts';
import type { Site } from './sites.ts';
import { cheapest, type Removal } from './units.ts';

/** How many go: of each layer, or in all. */
export type Budget = { readonly counts: ReadonlyMap<number, number> } | { readonly total: number };

/** What goes by a person's list or by a score, and what is refitted for it. */
export async function planByText(
  sites: readonly Site[],
  what: Removal | Budget,
  { by, repair }: Settled,
  options: TextOptions & { readonly labels: string },
  usualDamping: number,
  context: PassContext,
): Promise<{ edits: Edit[]; notes: Sentence[] }> {
  const calibration = await calibrationOf(context, isListed(what) || by === 'magnitude' ? `repair: ${repair}` : `by: ${by}`);
  const texts = options.sentences ?? undefined;
  const inputs = Math.max(...sites.map(({ linear }) => linear.in));
  const { damping, note } = dampingFor(options, usualDamping, inputs, calibration);
  const notes = note && repair === 'least-squares' ? [note] : [];
  const first = { ...context, progress: (done: number, id: string) => context.progress?.(done / 3, id) };
  const second = { ...context, progress: (done: number, id: string) => context.progress?.((1 + 2 * done) / 3, id) };
  const isShared = sites.some(({ others }) => others);
  const [cutBy, spendBy] = isShared ? [cutShared, spentShared] : [cutByText, spentByCost];
  const cut = await cutFor();
  return { edits: await cutBy(calibration, { sites, cut, repair, damping: () => damping, texts }, second), notes };

  async function cutFor(): Promise<(site: Site) => Cut> {
    if (isListed(what)) return ({ layer }) => what.get(layer) ?? [];
    if (by === 'gradient') {
      const scores = await gradientsOf(sites, options, first);
      const removal = 'total' in what ? cheapest(scores, what.total) : cheapestOfEach(scores, what.counts);
      return ({ layer }) => removal.get(layer) ?? [];
    }
    const score = by as TextScore;
    const counts =
      'counts' in what ? what.counts : await spendBy(calibration, sites, what.total, { by: score, damping, texts }, first);
    return ({ layer }) => ({ count: counts.get(layer)!, by: score });
  }
}

const isListed = (what: Removal | Budget): what is Removal => what instanceof Map;

export function cheapestOfEach(scores: ReadonlyMap<number, readonly number[]>, counts: ReadonlyMap<number, number>): Removal {
  const found = new Map<number, readonly number[]>();
  for (const [layer, each] of scores)
    for (const [index, units] of cheapest(new Map([[layer, each]]), counts.get(layer)!)) found.set(index, units);
  return found;
}
