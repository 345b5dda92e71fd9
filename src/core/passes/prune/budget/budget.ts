import type { Anatomy } from '../../../anatomy/anatomy.ts';
import { fail, type HeadroomError, type Sentence, sentence } from '../../../errors.ts';
import type { Edit, PassContext } from '../../pass.ts';
import type { Site } from '../sites.ts';
import type { Counts } from './choose.ts';
import { type Ladder, ladderOf } from './ladders.ts';
import { type Priced, pricesOf } from './prices.ts';

export interface BudgetAsked {
  readonly keep: number | null;
  readonly of: Priced | 'latency';
  readonly length: number;
  readonly batch: number;
}

/** What is to be saved, and what each cut saves of it. */
export interface Budget {
  readonly ladders: ReadonlyMap<Site, Ladder>;
  /** To be saved, as the ladders count. */
  readonly least: number;
  /** The same, after a look at what would go for it. */
  target(cheapest: (target: number) => Counts): Promise<number>;
  /** What a person should know of the result. */
  said(edits: readonly Edit[]): Promise<readonly Sentence[]>;
}

/** Parameters or products, exact from the shapes; products stand for the time where nothing is timed. throws 'bad-recipe' where less can go */
export function countedBudget(
  anatomy: Anatomy,
  sites: readonly Site[],
  { keep, of, length }: BudgetAsked,
  { model }: Pick<PassContext, 'model'>,
): Budget {
  const prices = pricesOf(anatomy, of === 'parameters' ? of : 'multiply-adds', length);
  const ladders = new Map(sites.map(site => [site, ladderOf(site, count => count * prices.unit(site))]));
  const least = prices.total * (1 - keep!);
  const most = mostOf(ladders);
  if (most < least) throw tooLittle(model.name, keep!, 1 - most / prices.total);
  return {
    ladders,
    least,
    target: async () => least,
    async said(edits) {
      const saved = edits.reduce((sum, edit) => sum + savedBy(edit), 0);
      return [
        of === 'parameters'
          ? sentence('Of the {total} parameters of the layers {kept} stay ({share} %).', shares(prices.total, saved))
          : sentence(
              'Of the {total} multiply-adds of the layers for a token {kept} stay ({share} %).',
              shares(prices.total, saved),
            ),
      ];
    },
  };

  function savedBy(edit: Edit): number {
    if (edit.kind !== 'remove-heads' && edit.kind !== 'remove-neurons') return 0;
    const [part, units] =
      edit.kind === 'remove-heads' ? (['attention', edit.heads] as const) : (['feed-forward', edit.neurons] as const);
    return units.length * prices.unit(sites.find(site => site.layer === edit.layer && site.part === part)!);
  }
}

const shares = (total: number, saved: number) => ({
  total: total.toLocaleString('en-US'),
  kept: (total - saved).toLocaleString('en-US'),
  share: ((100 * (total - saved)) / total).toFixed(2),
});

export const mostOf = (ladders: ReadonlyMap<Site, Ladder>): number =>
  [...ladders.values()].reduce((sum, { gains }) => sum + Math.max(...gains), 0);

export const tooLittle = (file: string, keep: number, least: number): HeadroomError =>
  fail(
    'bad-recipe',
    'keep is {keep}, and heads and neurons are only so much of it: {least} at least stays.',
    { keep, least: (Math.ceil(least * 1000) / 1000).toFixed(3) },
    { file, hint: sentence('To remove whole layers use prune-layers.') },
  );
