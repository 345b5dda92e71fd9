import { useEffect, useMemo, useState } from 'preact/hooks';
import type { DryRun, Scores, Step } from '../../../../src/protocol/messages.ts';
import { Button, Range } from '../../../controls.tsx';
import { t } from '../../../l10n.ts';
import { type HeadSelection, keyOf, type Pruning } from '../../../layout/head-selection.ts';
import { lowestFirst } from '../../../layout/unit-scores.ts';
import { bytesText, exactBytes, share } from '../../../numbers.ts';
import { TrialSizes } from '../../trial-sizes.tsx';
import { useTrial } from '../../use-trial.ts';
import { Wrong } from '../../wrong.tsx';
import { Predicted, predictedCosine } from './predicted.tsx';

export interface PruneHeadsProps {
  readonly pruning: Pruning;
  readonly selected: HeadSelection;
  /** Heads of the model, and layers that have heads. */
  readonly total: number;
  readonly layers: number;
  /** What each head is worth, when that is known. */
  readonly scores: Scores | undefined;
  /** The grid shows scores. */
  readonly isScored: boolean;
  /** The slider is used: scores are wanted. */
  readonly onScore: () => void;
  readonly onSelect: (heads: HeadSelection) => void;
  /** The file is gone: nothing can be made of it. */
  readonly disabled: boolean;
  /** Exact sizes of one step; the newest question counts. */
  readonly tryStep: (step: Step) => Promise<DryRun>;
  readonly onPrune: (step: Step, predicted?: number) => void;
  readonly onAttention: (layer: number, head: number | null) => void;
  readonly onClear: () => void;
}

/** The lowest heads by their scores as a slider moves, what those that are selected save and what is lost, and the way to the form. */
export function PruneHeads(props: PruneHeadsProps) {
  const { pruning } = props;
  return (
    <div class="prune">
      <LowestSlider {...props} />
      {pruning.heads.length > 0 ? (
        <Selected {...props} />
      ) : (
        <p class="small muted">{t('Click, drag or hold Shift or Ctrl to select heads; a layer by its name.')}</p>
      )}
    </div>
  );
}

function Selected(props: PruneHeadsProps) {
  const { pruning, selected, scores, disabled, tryStep, onPrune, onAttention, onClear } = props;
  const { heads, remove, emptied, wholeLayers } = pruning;
  const [first] = heads;
  const saved = bytesText(pruning.byteLength);
  const kept = emptied.length > 0;
  const step: Step = { pass: 'prune-heads', options: { remove } };
  const trial = useTrial(kept || disabled ? null : step, tryStep);
  const byHand = useMemo(() => !scores || !isLowest(scores, selected), [scores, selected]);
  return (
    <section aria-label={t('Selected heads')}>
      <p class="small" aria-live="polite">
        <b>{heads.length === 1 ? t('1 head selected') : t('{n} heads selected', { n: heads.length })}</b>{' '}
        <span class="muted" title={exactBytes(pruning.byteLength)}>
          · {t('{n} parameters', { n: pruning.parameters })} · {saved}
        </span>
      </p>
      {kept ? (
        <Wrong>
          {emptied.length === 1
            ? t('Layer {layer} would lose its last head: leave it one, or remove the layer.', { layer: emptied[0]! })
            : t('Layers {layers} would lose their last heads: leave each one, or remove the layers.', {
                layers: emptied.join(', '),
              })}
        </Wrong>
      ) : (
        <>
          <TrialSizes trial={trial} />
          {scores && <Predicted loss={scores.loss} fraction={heads.length / props.total} byHand={byHand} />}
        </>
      )}
      <div class="row wraps">
        <Button
          kind="primary"
          disabled={disabled || kept}
          onClick={() => onPrune(step, byHand ? undefined : predictedCosine(scores?.loss, heads.length / props.total))}
        >
          {heads.length === 1
            ? t('Prune selected head, saves {s}…', { s: saved })
            : t('Prune selected {n} heads, saves {s}…', { n: heads.length, s: saved })}
        </Button>
        {wholeLayers && (
          <Button disabled={disabled} onClick={() => onPrune({ pass: 'prune-layers', options: { remove: [...emptied] } })}>
            {emptied.length === 1 ? t('Remove layer {n}…', { n: emptied[0]! }) : t('Remove {n} layers…', { n: emptied.length })}
          </Button>
        )}
        {heads.length === 1 && first && (
          <Button disabled={disabled} onClick={() => onAttention(first.layer, first.head)}>
            {t('Show attention…')}
          </Button>
        )}
        <Button onClick={onClear}>{t('Clear')}</Button>
      </div>
    </section>
  );
}

const keysOf = (scores: Scores, count: number) =>
  lowestFirst(scores.layers)
    .slice(0, count)
    .map(({ layer, unit }) => keyOf({ layer, head: unit }));

const isLowest = (scores: Scores, selected: HeadSelection): boolean =>
  keysOf(scores, selected.size).every(key => selected.has(key));

/** Selects as many heads as it says, those that are worth least; what was selected by hand moves it. */
function LowestSlider({ total, layers, selected, scores, isScored, onScore, onSelect, disabled }: PruneHeadsProps) {
  const most = scores ? lowestFirst(scores.layers).length : total - layers;
  /** Asked for before the scores were there. */
  const [asked, ask] = useState<number | null>(null);
  useEffect(() => {
    if (asked === null || !scores || !isScored) return;
    ask(null);
    onSelect(new Set(keysOf(scores, asked)));
  }, [asked, scores, isScored]);
  if (most < 1) return null;
  const heads = asked ?? Math.min(most, selected.size);
  const choose = (count: number): void => {
    if (scores && isScored) onSelect(new Set(keysOf(scores, count)));
    else {
      onScore();
      ask(count);
    }
  };
  return (
    <section aria-label={t('The heads that are worth least')}>
      <div class="row">
        <label class="small" for="prune-share">
          {t('Select the lowest')}
        </label>
        <span class="grow" />
        <span class="small muted">
          {t('{k} of {n}', { k: heads, n: total })} · {share(heads / total, 0)}
        </span>
      </div>
      <Range
        id="prune-share"
        min={0}
        max={most}
        value={heads}
        valueText={t('{k} of {n} heads', { k: heads, n: total })}
        disabled={disabled}
        onInput={choose}
      />
      {asked !== null && !scores && <p class="small muted">{t('The scores come first: they are worked out above.')}</p>}
    </section>
  );
}
