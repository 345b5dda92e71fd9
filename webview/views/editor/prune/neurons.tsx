import { useMemo, useState } from 'preact/hooks';
import type { DryRun, Step } from '../../../../src/protocol/messages.ts';
import { Segments } from '../../../controls.tsx';
import { t } from '../../../l10n.ts';
import { lowestFirst, removeOf, scaleOf } from '../../../layout/unit-scores.ts';
import { real, share } from '../../../numbers.ts';
import { CutActions } from './cut-actions.tsx';
import { CutCurve } from './cut-curve.tsx';
import { LeftOut } from './left-out.tsx';
import { ScoreChoice } from './score-choice.tsx';
import type { Scoring } from './use-scores.ts';

export interface NeuronsProps {
  readonly scoring: Scoring;
  readonly cut: 'even' | 'lowest';
  readonly onCut: (cut: 'even' | 'lowest') => void;
  readonly tryStep: (step: Step) => Promise<DryRun>;
  readonly onPrune: (step: Step, predicted?: number) => void;
}

/** The largest share that the pass takes. */
const mostShare = 0.95;

/** Neurons by their scores, as curves with one cut: the same share of every layer, or the lowest of the whole model. */
export function Neurons({ scoring, cut, onCut, tryStep, onPrune }: NeuronsProps) {
  const { scores, by, disabled } = scoring;
  const [gone, setGone] = useState(0);
  const isEven = cut === 'even';
  const order = useMemo(() => lowestFirst(scores?.layers ?? []), [scores]);
  const total = useMemo(() => (scores?.layers ?? []).reduce((sum, { scores: each }) => sum + each.length, 0), [scores]);
  const lines = useMemo(() => {
    const sorted = (scores?.layers ?? []).map(each => [...each.scores].sort((a, b) => a - b));
    return isEven || sorted.length === 0 ? sorted : [sorted.flat().sort((a, b) => a - b)];
  }, [scores, isEven]);
  const scale = useMemo(() => scaleOf(lines.flat()), [lines]);
  const most = Math.min(Math.floor(total * mostShare), order.length);
  const count = Math.min(gone, most);
  const fraction = total > 0 ? Math.round((count / total) * 1e4) / 1e4 : 0;
  const step = useMemo<Step | null>(() => {
    if (count === 0) return null;
    const options = isEven ? { fraction, by } : { remove: removeOf(order.slice(0, count)) };
    return { pass: 'prune-neurons', options };
  }, [order, count, isEven, fraction, by]);
  const said = isEven
    ? t('{share} of the neurons of every layer', { share: share(fraction, 0) })
    : t('{k} of {n} neurons, of scores up to {score}', {
        k: count,
        n: total,
        score: real(order[count - 1]?.score ?? 0),
      });
  return (
    <>
      <ScoreChoice scoring={scoring} />
      {scores && total > 0 && (
        <>
          <Segments
            small
            label={t('Which neurons go')}
            value={cut}
            choices={[
              { value: 'even', label: t('Every layer alike') },
              { value: 'lowest', label: t('Lowest of all layers') },
            ]}
            onChange={value => onCut(value as 'even' | 'lowest')}
          />
          <CutCurve
            label={t('Cut through the neurons’ scores')}
            lines={lines}
            scale={scale}
            total={total}
            most={most}
            cut={count}
            valueText={said}
            disabled={disabled}
            onCut={setGone}
          />
          <p class="small" aria-live="polite">
            {count > 0 ? <b>{said}</b> : <span class="muted">{t('Drag the cut, or move it with the arrow keys.')}</span>}
          </p>
          <CutActions
            step={step}
            loss={isEven ? scores.evenLoss : scores.loss}
            fraction={fraction}
            label={
              isEven ? t('Prune {share} of the neurons…', { share: share(fraction, 0) }) : t('Prune {n} neurons…', { n: count })
            }
            disabled={disabled}
            tryStep={tryStep}
            onPrune={onPrune}
          />
        </>
      )}
      {scores && <LeftOut scores={scores} />}
    </>
  );
}
