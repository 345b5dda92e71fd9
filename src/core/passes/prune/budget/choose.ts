import type { Calibration } from '../../../calibration/calibration.ts';
import { type Sentence, sentence } from '../../../errors.ts';
import type { Edit, PassContext } from '../../pass.ts';
import { cutByText, orderAt, type TextScore } from '../by-text.ts';
import type { Order } from '../choose/order.ts';
import type { Settled } from '../settle.ts';
import type { Site } from '../sites.ts';
import { allocate, type Choices, evenly, mean, saved } from './allocate.ts';
import { driftCurves } from './curves.ts';
import { driftOf } from './drift.ts';
import type { Ladder } from './ladders.ts';

/** How many units of each site go. */
export type Counts = ReadonlyMap<Site, number>;

export interface ChooseTask {
  readonly sites: readonly Site[];
  readonly ladders: ReadonlyMap<Site, Ladder>;
  readonly settled: Settled;
  readonly damping: (site: Site) => number;
  /** The order in which units go, where it does not depend on what is cut below. */
  readonly known: ReadonlyMap<Site, Order> | undefined;
  /** How many of the texts are used; all when absent. */
  readonly texts?: number | undefined;
  /** What is to be saved at least, as the ladders count: `cheapest` says what would go for a target. */
  target(cheapest: (target: number) => Counts): Promise<number>;
}

export interface Chosen {
  readonly counts: Counts;
  /** The order in which units go, where it does not depend on what is cut below. */
  readonly units: ReadonlyMap<Site, readonly number[]> | undefined;
  readonly note: Sentence;
}

/** Tokens for the fits, and for the runs of the whole model, while it is being chosen: which of two ways is better shows in few. */
const fitted = 8192;
const measured = 2048;

/**
 * The sites are cut and repaired one by one, at a few levels, and the drift of the whole model measured: a curve for each. Their sum is
 * what a way to spend the budget is thought to cost. The cheapest way, the same share of heads and of neurons, and what lies half-way are
 * then cut and repaired whole, and the one whose outputs drift least is taken: curves do not know of each other, and few texts err.
 */
export async function chooseByText(
  calibration: Calibration<Edit>,
  task: ChooseTask,
  { progress, signal }: Pick<PassContext, 'progress' | 'signal'>,
): Promise<Chosen> {
  const { sites, damping, settled, known } = task;
  const { repair } = settled;
  const { texts, runs } = heldOut(calibration, Math.min(calibration.texts, task.texts ?? calibration.texts));
  const tell = (from: number, to: number) => ({
    progress: (done: number, what: string) => progress?.(from + (to - from) * done, what),
    ...(signal && { signal }),
  });
  const curves = await driftCurves(
    calibration,
    {
      sites,
      repair,
      damping,
      texts,
      // Of texts that are fitted: a repair on fewer texts than will be used would make wide matrices look dearer than they are.
      measured: [runs[0], 0],
      order: async (site, fit) =>
        known?.get(site) ?? orderAt(fit, site, settled.by as TextScore, site.units - 1, damping(site), signal),
    },
    tell(0, 0.6),
  );
  const choices = curves.map(({ site, drift }): Choices => {
    const { counts, gains } = task.ladders.get(site)!;
    return { counts, gains, costs: counts.map(drift) };
  });
  const countsOf = (picked: readonly number[]): Counts =>
    new Map(sites.map((site, at) => [site, choices[at]!.counts[picked[at]!]!]));
  const target = await task.target(each => countsOf(allocate(choices, each)));
  const uneven = allocate(choices, target);
  const even = sameShares(sites, choices, target);
  const original = await calibration.vectors([], ...runs);
  const drifts: number[] = [];
  const ways = [uneven, mean(choices, uneven, even, target), even].map(countsOf);
  for (const [index, counts] of ways.entries()) {
    const cut = (site: Site) => curves[sites.indexOf(site)]!.units.slice(0, counts.get(site)).sort((a, b) => a - b);
    const context = tell(0.6 + (0.4 * index) / ways.length, 0.6 + (0.4 * (index + 1)) / ways.length);
    const edits = await cutByText(calibration, { sites, cut, repair, damping, texts }, context);
    drifts.push(driftOf(original, await calibration.vectors(edits, ...runs)));
  }
  const best = drifts.indexOf(Math.min(...drifts));
  const units = known && new Map([...known].map(([site, order]) => [site, order.units]));
  return {
    counts: ways[best]!,
    units,
    note: notes[best]!(drifts.map(drift => drift.toPrecision(2)) as [string, string, string]),
  };
}

/** The same share of each layer's neurons, and of all heads, these where the curves say that least is lost. */
function sameShares(sites: readonly Site[], choices: readonly Choices[], target: number): number[] {
  const even = evenly(
    choices,
    sites.map(({ units }) => units),
    target,
  );
  const heads = sites.flatMap(({ part }, at) => (part === 'attention' ? [at] : []));
  const own = heads.map(at => choices[at]!);
  const spent = saved(
    own,
    heads.map(at => even[at]!),
  );
  for (const [place, k] of allocate(own, spent).entries()) even[heads[place]!] = k;
  return even;
}

/** The first texts are fitted on, the last ones, a quarter at most, judge whole ways: a fit flatters itself on what it has seen. */
function heldOut({ ids }: Calibration<Edit>, used: number): { readonly texts: number; readonly runs: readonly [number, number] } {
  const lengths = ids.slice(0, used).map(({ length }) => length);
  const held = Math.max(1, Math.min(Math.floor(used / 4), enough(lengths.toReversed(), measured)));
  const rest = lengths.slice(0, Math.max(1, used - held));
  return { texts: enough(rest, fitted), runs: [held, used - held] };
}

/** How many of the first it takes for so many tokens. */
function enough(lengths: readonly number[], tokens: number): number {
  let [count, sum] = [0, 0];
  while (count < lengths.length && sum < tokens) sum += lengths[count++]!;
  return count;
}

/** By the way that was taken; drifts of uneven, half-way and even. */
const notes: readonly ((drifts: readonly [string, string, string]) => Sentence)[] = [
  ([uneven, , even]) =>
    sentence(
      'Most goes where the whole model loses least: its outputs drift by {uneven}, beside {even} with the same share of heads and of neurons.',
      { uneven, even },
    ),
  ([, half, even]) =>
    sentence(
      'Half-way between the same share of heads and of neurons and what single cuts say loses least: the outputs drift by {half}, beside {even} with the same shares.',
      { half, even },
    ),
  ([uneven, , even]) =>
    sentence(
      'The same share of heads and of neurons goes: the outputs drift by {even}, beside {uneven} where single cuts say that least is lost.',
      { uneven, even },
    ),
];
