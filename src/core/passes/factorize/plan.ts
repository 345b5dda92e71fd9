import type { Anatomy } from '../../anatomy/anatomy.ts';
import type { FactorEdit, PassContext, Plan, Skipped } from '../pass.ts';
import { type Candidate, candidatesOf } from './candidates.ts';
import { promised } from './factors.ts';
import { plainFactors, spectrumOf } from './plain.ts';
import { type Budget, checkBudget, growing, rankOf, rankOfEnergy } from './ranks.ts';

export interface FactorOptions extends Budget {
  readonly method: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** A matrix and the rank it gets. */
export interface Ranked extends Candidate {
  readonly rank: number;
}

export async function planFactors(anatomy: Anatomy, options: FactorOptions, context: PassContext): Promise<Plan> {
  const { model, dryRun } = context;
  const budget = checkBudget(options, model.name);
  const { candidates, skipped } = candidatesOf(model, anatomy, options);
  const ranked = await rankedOf(candidates, budget, skipped, context);
  const edits = ranked.map(({ linear, rank }) => (dryRun ? sizeOnly(linear, rank) : plainFactors(linear, rank)));
  return { edits, skipped };
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

/** Shapes without numbers. */
const sizeOnly = (target: Candidate['linear'], rank: number): FactorEdit => ({
  kind: 'factor',
  target,
  first: promised('first', target.weight.dtype, [rank, target.in]),
  second: promised('second', target.weight.dtype, [target.out, rank]),
});
