import type { Anatomy } from '../../../anatomy/anatomy.ts';
import { type Sentence, sentence } from '../../../errors.ts';
import { calibrationOf } from '../../calibration-of.ts';
import type { Edit, PassContext, Plan, Units } from '../../pass.ts';
import { type Cut, cutByText, type TextScore } from '../by-text.ts';
import { dampingFor, type TextOptions } from '../damping.ts';
import { bothGiven, noLayers, noneGiven, prunableOf } from '../plan-heads.ts';
import { headLayers, neuronLayers } from '../prunable.ts';
import { needsText, type Repair, type Score, settleInTurn } from '../settle.ts';
import { headSite, neuronSite, type Site } from '../sites.ts';
import { listed } from '../units.ts';
import { evenly } from './allocate.ts';
import { type Budget, countedBudget } from './budget.ts';
import { type Chosen, chooseByText } from './choose.ts';
import { knownOrders, magnitudeOrders } from './known-orders.ts';
import type { Priced } from './prices.ts';
import { timedBudget } from './timed-budget.ts';

export interface BudgetOptions extends TextOptions {
  readonly keep: number | null;
  readonly of: Priced | 'latency';
  readonly length: number;
  readonly batch: number;
  readonly heads: Units;
  readonly neurons: Units;
  readonly by: 'auto' | Score;
  readonly labels: string;
  readonly repair: 'auto' | Repair;
}

/** Of the refit: what is best for heads and for neurons alone. */
const usualDamping = 0.1;

/** Units of each site that go, ascending. */
type Given = ReadonlyMap<Site, readonly number[]>;

/** Heads and neurons of the whole model, in one walk from below: half by half cut, and repaired behind what is cut below. */
export async function planBudget(anatomy: Anatomy, options: BudgetOptions, context: PassContext): Promise<Plan> {
  const { model, dryRun } = context;
  if (anatomy.layers.length === 0) return { edits: [], skipped: [{ target: model.name, reason: noLayers(anatomy) }] };
  const [heads, neurons] = [headLayers(anatomy), neuronLayers(anatomy)];
  const skipped = [...heads.skipped, ...neurons.skipped];
  const sites = [...heads.layers.map(headSite), ...neurons.layers.map(neuronSite)].sort(asTheyRun);
  const given = givenUnits(anatomy, sites, options, context);
  if (sites.length === 0) return { edits: [], skipped };
  const settled = settleInTurn(anatomy, options, context);
  const isByText = needsText(settled, given !== undefined);
  if (dryRun || !isByText) {
    const units = given ?? (await evenUnits(sites, countedBudget(anatomy, sites, options, context), context));
    return { edits: plainCuts(units), skipped, notes: [...settled.notes, ...(dryRun && !given && isByText ? [guessed()] : [])] };
  }
  const calibration = await calibrationOf(context, given ? `repair: ${settled.repair}` : `by: ${settled.by}`);
  const dampings = new Map(sites.map(site => [site, dampingFor(options, usualDamping, site.linear.in, calibration)]));
  const damping = (site: Site): number => dampings.get(site)!.damping;
  const note = [...dampings.values()].find(it => it.note)?.note;
  const notes: Sentence[] = [...settled.notes, ...(note && settled.repair === 'least-squares' ? [note] : [])];
  const texts = options.sentences ?? undefined;
  const [choosing, cutting] = [within(context, 0, 0.7), within(context, 0.7, 1)];
  if (given) {
    const cut = (site: Site): Cut => given.get(site) ?? [];
    const edits = await cutByText(calibration, { sites, cut, repair: settled.repair, damping, texts }, context);
    return { edits, skipped, notes };
  }
  const budget =
    options.of === 'latency' ? await timedBudget(sites, options, context) : countedBudget(anatomy, sites, options, context);
  const { ladders, target } = budget;
  const known = await knownOrders(sites, settled.by, options, within(context, 0, 0.2));
  const chosen = await chooseByText(calibration, { sites, ladders, settled, damping, texts, known, target }, choosing);
  const cut = (site: Site) => cutOf(chosen, site, settled.by as TextScore);
  const edits = await cutByText(calibration, { sites, cut, repair: settled.repair, damping, texts }, cutting);
  return { edits, skipped, notes: [...notes, chosen.note, ...(await budget.said(edits))], exact: exactly(edits, options) };
}

const asTheyRun = (a: Site, b: Site): number =>
  a.layer - b.layer || Number(a.part === 'feed-forward') - Number(b.part === 'feed-forward');

/** The person's lists; undefined where a share is to stay instead. */
function givenUnits(
  anatomy: Anatomy,
  sites: readonly Site[],
  { keep, heads, neurons }: BudgetOptions,
  { model }: PassContext,
): Given | undefined {
  const isListed = Object.keys(heads).length > 0 || Object.keys(neurons).length > 0;
  if (isListed && keep !== null) throw bothGiven(model.name, 'keep', 'heads');
  if (!isListed && keep === null) throw noneGiven(model.name, 'keep', 'heads');
  if (!isListed) return undefined;
  const of = (part: Site['part']) => sites.filter(site => site.part === part).map(site => site.of);
  const lists = {
    attention: prunableOf(
      listed(model, anatomy, heads, at => anatomy.layers[at]!.heads),
      anatomy,
      of('attention'),
    ),
    'feed-forward': prunableOf(
      listed(model, anatomy, neurons, at => anatomy.layers[at]!.down.in),
      anatomy,
      of('feed-forward'),
    ),
  };
  return new Map(sites.map(site => [site, lists[site.part].get(site.layer) ?? []]));
}

/** By magnitude, the same share everywhere: what needs no text, and a guess in a dry run, which need not read the weights. */
async function evenUnits(sites: readonly Site[], { ladders, least }: Budget, { dryRun, signal }: PassContext): Promise<Given> {
  const choices = sites.map(site => ({
    ...ladders.get(site)!,
    costs: ladders.get(site)!.counts.map(count => count / site.units),
  }));
  const picked = evenly(
    choices,
    sites.map(({ units }) => units),
    least,
  );
  const orders = dryRun ? undefined : await magnitudeOrders(sites, signal);
  return new Map(
    sites.map((site, at) => {
      const units = orders?.get(site)?.units ?? Array.from({ length: site.units }, (_, unit) => unit);
      return [site, ascending(units.slice(0, choices[at]!.counts[picked[at]!]))];
    }),
  );
}

const plainCuts = (units: Given): Edit[] => [...units].flatMap(([site, each]) => (each.length > 0 ? [site.removal(each)] : []));

function cutOf({ counts, units }: Chosen, site: Site, by: TextScore): Cut {
  const count = counts.get(site)!;
  const known = units?.get(site);
  return known ? ascending(known.slice(0, count)) : { count, by };
}

const ascending = (units: readonly number[]): number[] => [...units].sort((a, b) => a - b);

/** The options that remove what was removed, whatever is measured then. */
function exactly(edits: readonly Edit[], options: BudgetOptions): Readonly<Record<string, unknown>> {
  const [heads, neurons]: Record<string, readonly number[]>[] = [{}, {}];
  for (const edit of edits) {
    if (edit.kind === 'remove-heads') heads![edit.layer] = edit.heads;
    if (edit.kind === 'remove-neurons') neurons![edit.layer] = edit.neurons;
  }
  return { ...options, keep: null, heads, neurons };
}

const guessed = (): Sentence =>
  sentence('Which heads and neurons go is known when the text has been run: the size may differ by what one step removes.');

const within = (context: PassContext, from: number, to: number): PassContext => ({
  ...context,
  progress: (done, what) => context.progress?.(from + (to - from) * done, what),
});
