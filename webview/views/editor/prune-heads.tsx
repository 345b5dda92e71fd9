import { useState } from 'preact/hooks';
import type { DryRun, Step } from '../../../src/protocol/messages.ts';
import { Button, Range } from '../../controls.tsx';
import { t } from '../../l10n.ts';
import type { Pruning } from '../../layout/head-selection.ts';
import { bytesText, exactBytes, share } from '../../numbers.ts';
import { TrialSizes } from '../trial-sizes.tsx';
import { useTrial } from '../use-trial.ts';
import { Wrong } from '../wrong.tsx';

/** The largest share that the pass takes. */
const mostShare = 0.95;

export interface PruneHeadsProps {
  readonly pruning: Pruning;
  /** Heads of the model, and layers that have heads. */
  readonly total: number;
  readonly layers: number;
  /** The file is gone: nothing can be made of it. */
  readonly disabled: boolean;
  /** Exact sizes of one step; the newest question counts. */
  readonly tryStep: (step: Step) => Promise<DryRun>;
  readonly onPrune: (step: Step) => void;
  readonly onAttention: (layer: number, head: number | null) => void;
  readonly onClear: () => void;
}

/** What the selected heads save, a share of all heads with its exact sizes, and the way to the form. */
export function PruneHeads(props: PruneHeadsProps) {
  const { pruning } = props;
  return (
    <div class="prune">
      {pruning.heads.length > 0 ? (
        <Selected {...props} />
      ) : (
        <p class="small muted">{t('Click, drag or hold Shift or Ctrl to select heads; a layer by its name.')}</p>
      )}
      <ShareSlider {...props} />
    </div>
  );
}

function Selected({ pruning, disabled, onPrune, onAttention, onClear }: PruneHeadsProps) {
  const { heads, remove, emptied, wholeLayers } = pruning;
  const [first] = heads;
  const saved = bytesText(pruning.byteLength);
  const kept = emptied.length > 0;
  return (
    <section aria-label={t('Selected heads')}>
      <p class="small" aria-live="polite">
        <b>{heads.length === 1 ? t('1 head selected') : t('{n} heads selected', { n: heads.length })}</b>{' '}
        <span class="muted" title={exactBytes(pruning.byteLength)}>
          · {t('{n} parameters', { n: pruning.parameters })} · {saved}
        </span>
      </p>
      {kept && (
        <Wrong>
          {emptied.length === 1
            ? t('Layer {layer} would lose its last head: leave it one, or remove the layer.', { layer: emptied[0]! })
            : t('Layers {layers} would lose their last heads: leave each one, or remove the layers.', {
                layers: emptied.join(', '),
              })}
        </Wrong>
      )}
      <div class="row wraps">
        <Button kind="primary" disabled={disabled || kept} onClick={() => onPrune({ pass: 'prune-heads', options: { remove } })}>
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

/** Of all heads as many as the pass finds the least important; the sizes are those of its dry run. */
function ShareSlider({ total, layers, disabled, tryStep, onPrune }: PruneHeadsProps) {
  const most = Math.min(total - layers, Math.floor(total * mostShare));
  const [heads, setHeads] = useState(0);
  const fraction = Math.round((heads / total) * 1e4) / 1e4;
  const step: Step = { pass: 'prune-heads', options: { fraction } };
  const trial = useTrial(heads > 0 && !disabled ? step : null, tryStep);
  if (most < 1) return null;
  return (
    <section aria-label={t('Share of all heads')}>
      <div class="row">
        <label class="small" for="prune-share">
          {t('Or a share of all heads')}
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
        onInput={setHeads}
      />
      {heads > 0 && (
        <div class="row wraps">
          <TrialSizes trial={trial} />
          <Button disabled={disabled} onClick={() => onPrune(step)}>
            {heads === 1 ? t('Prune 1 head…') : t('Prune {n} heads…', { n: heads })}
          </Button>
        </div>
      )}
    </section>
  );
}
