import type { DryRun, LossCurve, Step } from '../../../../src/protocol/messages.ts';
import { Button } from '../../../controls.tsx';
import { t } from '../../../l10n.ts';
import { TrialSizes } from '../../trial-sizes.tsx';
import { useTrial } from '../../use-trial.ts';
import { Predicted, predictedCosine } from './predicted.tsx';

export interface CutActionsProps {
  /** null: nothing is cut. */
  readonly step: Step | null;
  readonly loss: LossCurve | undefined;
  /** Of all units. */
  readonly fraction: number;
  readonly byHand?: boolean;
  readonly label: string;
  readonly disabled: boolean;
  readonly tryStep: (step: Step) => Promise<DryRun>;
  readonly onPrune: (step: Step, predicted?: number) => void;
}

/** Exact parameters and bytes of a cut, what is expected to be lost, and the way to the form. */
export function CutActions({ step, loss, fraction, byHand = false, label, disabled, tryStep, onPrune }: CutActionsProps) {
  const trial = useTrial(disabled ? null : step, tryStep);
  const report = trial.answer?.report;
  if (!step) return null;
  return (
    <section class="cut" aria-label={t('What this will do')}>
      <TrialSizes trial={trial} />
      {report && (
        <p class={trial.stale ? 'small muted stale' : 'small muted'}>
          {t('{n} parameters fewer', { n: report.before.parameters - report.after.parameters })} · {t('exact')}
        </p>
      )}
      <Predicted loss={loss} fraction={fraction} byHand={byHand} />
      <div class="row wraps">
        <Button
          kind="primary"
          disabled={disabled}
          onClick={() => onPrune(step, byHand ? undefined : predictedCosine(loss, fraction))}
        >
          {label}
        </Button>
      </div>
    </section>
  );
}
