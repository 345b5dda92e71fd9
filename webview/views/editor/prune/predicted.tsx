import type { LossCurve } from '../../../../src/protocol/messages.ts';
import { t } from '../../../l10n.ts';
import { lossAt } from '../../../layout/unit-scores.ts';
import { cosine } from '../../../numbers.ts';

interface PredictedProps {
  readonly loss: LossCurve | undefined;
  /** Of all units. */
  readonly fraction: number;
  /** Chosen by hand: what is predicted is the loss of as many of the lowest. */
  readonly byHand?: boolean;
}

/** To the vectors of the original, 0 at least; undefined where nothing was measured. */
export const predictedCosine = (loss: LossCurve | undefined, fraction: number): number | undefined =>
  loss && loss.fraction.length > 0 ? Math.max(0, 1 - lossAt(loss, fraction)) : undefined;

/** What the model is expected to lose, from what was measured without repair at a few fractions; never said without ≈. */
export function Predicted({ loss, fraction, byHand = false }: PredictedProps) {
  const kept = predictedCosine(loss, fraction);
  if (!loss || kept === undefined)
    return (
      <p class="small muted predicted">
        {t('Predicted loss')}: {t('Not measured')}
      </p>
    );
  return (
    <p class="small predicted" aria-live="polite">
      <b>{t('Predicted: cosine ≈ {cosine}', { cosine: cosine(kept) })}</b>{' '}
      <span class="muted">
        {t('without repair, from runs on {n} sentences', { n: loss.texts })}
        {byHand && ` · ${t('if these were the lowest')}`}
      </span>
    </p>
  );
}
