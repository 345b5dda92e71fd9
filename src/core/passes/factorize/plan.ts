import type { Anatomy, Layer, Norm } from '../../anatomy/anatomy.ts';
import { fail, type Sentence, sentence } from '../../errors.ts';
import { biasAsItIs, normAsItIs } from '../as-it-is.ts';
import { calibrationOf } from '../calibration-of.ts';
import type { Edit, FactorEdit, PassContext, Plan, Skipped } from '../pass.ts';
import { isShared } from '../quantize/gptq/replaced.ts';
import { type Candidate, candidatesOf, notLookedAt } from './candidates.ts';
import { isCompact, planCompact } from './compact.ts';
import { promised } from './factors.ts';
import { measuredLosses } from './measured.ts';
import { plainFactors, spectrumOf } from './plain.ts';
import { planQueryKey } from './plan-query-key.ts';
import { type Budget, checkBudget, growing, rankOf, rankOfEnergy } from './ranks.ts';
import { type Spending, spend } from './spend.ts';
import { placesIn, whitenedFactors } from './whitened.ts';

export interface FactorOptions extends Budget {
  readonly method: string;
  readonly allocation: string;
  readonly blocks: number;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** A matrix and the rank it gets. */
export interface Ranked extends Candidate {
  readonly rank: number;
}

export async function planFactors(anatomy: Anatomy, options: FactorOptions, context: PassContext): Promise<Plan> {
  const { edits, skipped, notes } = await planEach(anatomy, options, context);
  const isNoted = edits.length > 0 && !context.model.graph;
  return {
    edits,
    ...(notes && { notes }),
    skipped: isNoted ? [...skipped, { target: 'config.json', reason: notStock() }] : skipped,
  };
}

const notStock = (): Sentence =>
  sentence('No class of transformers holds factored matrices. Headroom opens the model, and exports it to ONNX.');

async function planEach(anatomy: Anatomy, options: FactorOptions, context: PassContext): Promise<Plan> {
  const { model, dryRun } = context;
  const budget = checkBudget(options, model.name);
  const isGlobal = options.allocation === 'global';
  if (isGlobal && budget.ratio === null)
    throw fail('bad-recipe', 'The allocation global spends a share of the parameters: give ratio.', {}, { file: model.name });
  const { candidates, skipped } = candidatesOf(model, anatomy, options);
  if (options.method === 'query-key') {
    if (isGlobal || budget.energy !== null)
      throw fail(
        'bad-recipe',
        'The method {method} takes rank or ratio, for each matrix alone.',
        { method: options.method },
        { file: model.name },
      );
    const made = await planQueryKey(anatomy, candidates, budget, context);
    return { ...made, skipped: [...skipped, ...made.skipped] };
  }
  if (isCompact(options.method)) {
    if (isGlobal || (budget.energy !== null && options.method === 'block-diagonal'))
      throw fail(
        'bad-recipe',
        'The method {method} takes rank or ratio, for each matrix alone.',
        { method: options.method },
        { file: model.name },
      );
    const made = await planCompact(options.method, candidates, budget, options.blocks, context);
    return { ...made, skipped: [...skipped, ...made.skipped] };
  }
  if (options.method === 'svd') {
    const ranked = isGlobal
      ? spent(candidates, await weightLosses(candidates, context), budget.ratio!)
      : await rankedOf(candidates, budget, skipped, context);
    return {
      edits: ranked.map(({ linear, rank }) => (dryRun ? sizeOnly(linear, rank) : plainFactors(linear, rank, context.products))),
      skipped,
    };
  }
  const seen = candidates.filter(each => {
    const reason = notSeen(each);
    if (reason) skipped.push({ target: each.linear.id, reason });
    return !reason;
  });
  const ranked = await rankedOf(seen, budget, skipped, context);
  if (dryRun || ranked.length === 0) return { edits: refittedSizes(ranked, anatomy), skipped };
  const calibration = await calibrationOf(context, 'factorize');
  const chosen = isGlobal ? spent(seen, await measuredLosses(calibration, seen, budget.ratio!, context), budget.ratio!) : ranked;
  const made = await whitenedFactors(calibration, anatomy, chosen, context);
  return { edits: made.edits, skipped: [...skipped, ...made.skipped] };
}

/** One budget over all matrices. */
function spent(candidates: readonly Candidate[], losses: ReadonlyMap<Candidate, Spending>, ratio: number): Ranked[] {
  const ranks = spend(
    candidates.map(each => losses.get(each)!),
    ratio,
  );
  return candidates.map((each, i) => ({ ...each, rank: ranks[i]! }));
}

/** What each matrix loses beside what it is: nothing else is known without text. */
async function weightLosses(
  candidates: readonly Candidate[],
  { progress, signal }: PassContext,
): Promise<Map<Candidate, Spending>> {
  const losses = new Map<Candidate, Spending>();
  for (const candidate of candidates) {
    const { linear } = candidate;
    progress?.(losses.size / candidates.length, linear.id);
    const values = await spectrumOf(linear, signal);
    losses.set(candidate, { linear, values, loss: 1 / (values.reduce((sum, value) => sum + value * value, 0) || 1) });
  }
  return losses;
}

/** Why text does not say how to factor a matrix, where it does not. */
function notSeen({ layer, linear }: Candidate): Sentence | undefined {
  const places = Object.values(placesIn(layer)).flatMap(({ enters, leaves }) => [...enters, ...leaves]);
  return places.includes(linear) ? undefined : notLookedAt();
}

/** Ranks that make a matrix smaller; the others' reasons go to `skipped`. */
async function rankedOf(
  candidates: readonly Candidate[],
  { rank: given, ratio, energy }: Budget,
  skipped: Skipped[],
  { progress, signal }: PassContext,
): Promise<Ranked[]> {
  const ranked: Ranked[] = [];
  for (const [done, candidate] of candidates.entries()) {
    const { linear } = candidate;
    if (energy !== null) progress?.(done / candidates.length, linear.id);
    const rank = given ?? (energy === null ? rankOf(ratio!, linear) : rankOfEnergy(await spectrumOf(linear, signal), energy));
    const reason = growing(rank, linear);
    if (reason) skipped.push({ target: linear.id, reason });
    else ranked.push({ ...candidate, rank });
  }
  return ranked;
}

/** Shapes without numbers, and what is refitted around them by itself. */
const refittedSizes = (ranked: readonly Ranked[], anatomy: Anatomy): Edit[] => {
  const norms = ranked.filter(({ layer }) => !isShared(layer, anatomy)).map(({ layer, linear }) => normOf(layer, linear));
  return [
    ...ranked.map(({ linear, rank }) => ({ ...sizeOnly(linear, rank), ...biasAsItIs(linear) })),
    ...[...new Set(norms)].flatMap(normAsItIs),
  ];
};

function normOf(layer: Layer, linear: Candidate['linear']): Norm {
  const { enters, leaves } = placesIn(layer).attention;
  return [...enters, ...leaves].includes(linear) ? layer.attentionNorm : layer.outputNorm;
}

/** Shapes without numbers. */
const sizeOnly = (target: Candidate['linear'], rank: number): FactorEdit => ({
  kind: 'factor',
  target,
  first: promised('first', target.weight.dtype, [rank, target.in]),
  second: promised('second', target.weight.dtype, [target.out, rank]),
});
