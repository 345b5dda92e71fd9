import { useMemo, useState } from 'preact/hooks';
import type { DryRun, Step } from '../../../../src/protocol/messages.ts';
import { Checkbox, Range } from '../../../controls.tsx';
import { t } from '../../../l10n.ts';
import { real } from '../../../numbers.ts';
import { CutActions } from './cut-actions.tsx';
import { ScoreChoice } from './score-choice.tsx';
import type { Scoring } from './use-scores.ts';

export interface LayersProps {
  readonly scoring: Scoring;
  readonly tryStep: (step: Step) => Promise<DryRun>;
  readonly onPrune: (step: Step, predicted?: number) => void;
}

/** Layers with what each is worth: marked in the list, or the lowest by a slider. One stays at least. */
export function Layers({ scoring, tryStep, onPrune }: LayersProps) {
  const { scores, by, disabled } = scoring;
  const [marked, mark] = useState<readonly number[]>([]);
  const order = useMemo(() => {
    const all = (scores?.layers ?? []).map(({ layer, scores: [score = 0] }) => ({ layer, score }));
    return all.sort((a, b) => a.score - b.score || a.layer - b.layer);
  }, [scores]);
  const total = order.length;
  const gone = marked.filter(layer => layer < total);
  const lowest = (count: number): number[] => order.slice(0, count).map(({ layer }) => layer);
  const isByHand = !lowest(gone.length).every(layer => gone.includes(layer));
  const largest = Math.max(...order.map(({ score }) => score), 0) || 1;
  const step: Step | null =
    gone.length > 0 && gone.length < total
      ? { pass: 'prune-layers', options: { remove: [...gone].sort((a, b) => a - b) } }
      : null;
  return (
    <>
      <ScoreChoice scoring={scoring} />
      {scores && total > 1 && (
        <>
          <div class="row">
            <label class="small" for="prune-layers-share">
              {t('Select the lowest')}
            </label>
            <span class="grow" />
            <span class="small muted">{t('{k} of {n} layers', { k: gone.length, n: total })}</span>
          </div>
          <Range
            id="prune-layers-share"
            min={0}
            max={total - 1}
            value={gone.length}
            valueText={t('{k} of {n} layers', { k: gone.length, n: total })}
            disabled={disabled}
            onInput={count => mark(lowest(count))}
          />
          <ul class="layer-list" aria-label={t('Layers to remove')}>
            {[...order]
              .sort((a, b) => a.layer - b.layer)
              .map(({ layer, score }) => (
                <li key={layer} class={gone.includes(layer) ? 'row struck' : 'row'}>
                  <Checkbox
                    checked={gone.includes(layer)}
                    disabled={disabled || (!gone.includes(layer) && gone.length === total - 1)}
                    onChange={on => mark(on ? [...gone, layer] : gone.filter(one => one !== layer))}
                  >
                    <span class="name">{t('Layer {n}', { n: layer })}</span>
                  </Checkbox>
                  <span class="bar c-attention" aria-hidden="true">
                    <i style={{ width: `${(100 * score) / largest}%` }} />
                  </span>
                  <span class="num small muted">{real(score)}</span>
                </li>
              ))}
          </ul>
          <p class="small muted">
            {by === 'position'
              ? t('The number is its turn: 1 goes first.')
              : t('The number is what is lost of the cosine when it goes alone.')}
          </p>
          <CutActions
            step={step}
            loss={scores.loss}
            fraction={gone.length / total}
            byHand={isByHand}
            label={gone.length === 1 ? t('Remove layer {n}…', { n: gone[0]! }) : t('Remove {n} layers…', { n: gone.length })}
            disabled={disabled}
            tryStep={tryStep}
            onPrune={onPrune}
          />
        </>
      )}
    </>
  );
}
