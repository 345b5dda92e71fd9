import { fail, sentence } from '../../../errors.ts';
import type { PassContext } from '../../pass.ts';
import type { Site } from '../sites.ts';
import { type Budget, type BudgetAsked, mostOf, tooLittle } from './budget.ts';
import { ladderOf } from './ladders.ts';
import { timesOf } from './latency.ts';

/** How often what is predicted is held beside a measurement, and the target moved by what it is off. */
const corrections = 2;

/** Time, measured: all shares are of the original's, timed in turn with it. throws 'usage' where nothing can be timed, 'bad-recipe' */
export async function timedBudget(
  sites: readonly Site[],
  { keep, length, batch }: BudgetAsked,
  context: PassContext,
): Promise<Budget> {
  const { latency, model } = context;
  if (!latency)
    throw fail('unsupported', 'Nothing can be timed here: choose parameters or multiply-adds.', {}, { file: model.name });
  const shape = { batch, length };
  const times = await timesOf(sites, latency, shape, context);
  const ladders = new Map(sites.map(site => [site, ladderOf(site, count => times.gain(site, count))]));
  const [least, most] = [1 - keep!, mostOf(ladders)];
  if (most < least) throw tooLittle(model.name, keep!, 1 - most);
  let predicted = keep!;
  return {
    ladders,
    least,
    async target(cheapest) {
      let target = least;
      for (let i = 0; i < corrections; i++) {
        const saved = 1 - (await times.measure(cheapest(target)));
        // Up to 2 % off is what timing again gives.
        if (Math.abs(saved - least) <= 0.02 || saved <= 0) break;
        target = Math.min(most, (target * least) / saved);
      }
      predicted = 1 - least;
      return target;
    },
    async said(edits) {
      const { ms, originalMs } = await latency(edits, shape);
      return [
        sentence(
          'Batch {batch}, {length} tokens: predicted {predicted} % of the time, measured {measured} % ({ms} ms of {original} ms). Another machine may measure, and choose, otherwise.',
          {
            batch,
            length,
            predicted: (100 * predicted).toFixed(0),
            measured: ((100 * ms) / originalMs).toFixed(0),
            ms: ms.toFixed(1),
            original: originalMs.toFixed(1),
          },
        ),
      ];
    },
  };
}
