import type { Anatomy } from '../../anatomy/anatomy.ts';
import { type Sentence, sentence } from '../../errors.ts';
import type { PassContext } from '../pass.ts';
import { cannot } from './prunable.ts';

export type Score = 'magnitude' | 'activation' | 'gradient' | 'reconstruction';
export type Repair = 'none' | 'bias' | 'least-squares';

/** What 'auto' became, and why. */
export interface Settled {
  readonly by: Score;
  readonly repair: Repair;
  readonly notes: readonly Sentence[];
}

/** The methods that are used: the best ones where there is text, those that need none where there is none. */
export function settle(
  asked: { readonly by: 'auto' | Score; readonly repair: 'auto' | Repair },
  { calibration }: Pick<PassContext, 'calibration'>,
): Settled {
  const hasText = calibration !== undefined;
  const by = asked.by !== 'auto' ? asked.by : hasText ? 'reconstruction' : 'magnitude';
  const repair = asked.repair !== 'auto' ? asked.repair : hasText ? 'least-squares' : 'none';
  const isAuto = asked.by === 'auto' || asked.repair === 'auto';
  return { by, repair, notes: isAuto ? [sentence('by: {by}, repair: {repair}.', { by, repair })] : [] };
}

/**
 * The same for a pass that goes through the layers one after another: those that share one set of weights are cut by magnitude and not
 * repaired.
 * throws 'unsupported' where a method is asked for that such layers do not allow
 */
export function settleInTurn(
  { layers }: Anatomy,
  asked: { readonly by: 'auto' | Score; readonly repair: 'auto' | Repair },
  { model, calibration }: Pick<PassContext, 'model' | 'calibration'>,
): Settled {
  if (layers.every(({ index, stored }) => index === stored)) return settle(asked, calibration ? { calibration } : {});
  if (asked.by === 'activation' || asked.by === 'reconstruction') throw cannot(model, sharedLayers('by', asked.by));
  if (asked.repair === 'bias' || asked.repair === 'least-squares') throw cannot(model, sharedLayers('repair', asked.repair));
  return settle(asked, {});
}

const sharedLayers = (option: string, value: string): Sentence =>
  sentence('Layers of this model share their weights, so {option}: {value} cannot go through them one after another.', {
    option,
    value,
  });

/** Does it take the model running on text? */
export const needsText = ({ by, repair }: Settled, isListed: boolean): boolean =>
  repair !== 'none' || (!isListed && by !== 'magnitude');
