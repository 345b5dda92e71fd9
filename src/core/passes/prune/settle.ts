import { type Sentence, sentence } from '../../errors.ts';
import type { PassContext } from '../pass.ts';

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

/** Does it take the model running on text? */
export const needsText = ({ by, repair }: Settled, isListed: boolean): boolean =>
  repair !== 'none' || (!isListed && by !== 'magnitude');
