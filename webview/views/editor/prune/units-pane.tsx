import type { Summary } from '../../../../src/core/report/tree.ts';
import type { EditorHostApi, Step } from '../../../../src/protocol/messages.ts';
import type { Remote } from '../../../../src/protocol/rpc.ts';
import { Segments } from '../../../controls.tsx';
import { t } from '../../../l10n.ts';
import { Heads, type HeadsProps } from '../heads.tsx';
import type { PrunedUnit, SavedState } from '../saved-state.ts';
import { Layers } from './layers.tsx';
import { Neurons } from './neurons.tsx';
import { type ScoredPass, scoredOn, useScoring } from './use-scores.ts';

export interface UnitsPaneProps extends Omit<HeadsProps, 'scoring' | 'prune' | 'colour' | 'onColour'> {
  readonly api: Remote<EditorHostApi>;
  readonly state: SavedState;
  readonly onState: (part: Partial<SavedState>) => void;
  readonly disabled: boolean;
}

const passOf: Readonly<Record<PrunedUnit, ScoredPass>> = {
  heads: 'prune-heads',
  neurons: 'prune-neurons',
  layers: 'prune-layers',
};

/** What can be pruned by hand: heads in their grid, neurons along a curve, layers in a list. */
export function UnitsPane(props: UnitsPaneProps) {
  const { summary, api, state, onState, disabled, readings } = props;
  const units = unitsOf(summary);
  const unit = units.includes(state.unit) ? state.unit : units[0]!;
  const pass = passOf[unit];
  const scoring = useScoring({
    pass,
    api,
    readings,
    by: state.scoredBy[pass] ?? '',
    onBy: by => onState({ scoredBy: { ...state.scoredBy, [pass]: by } }),
    wanted: unit !== 'heads' || state.headColour === 'score',
    disabled,
  });
  const onPrune = (step: Step, predicted?: number): void => {
    const asked = [step, scoredOn(scoring)] as const;
    void (predicted === undefined ? api.openCompress(...asked) : api.openCompress(...asked, predicted));
  };
  const tryStep = (step: Step) => api.tryStep(step);
  return (
    <section class="pane p-heads" aria-labelledby="heads-title">
      <div class="row">
        <h2 id="heads-title" class="sr">
          {t('Heads, neurons and layers')}
        </h2>
        <Segments
          small
          label={t('What is shown and pruned')}
          value={unit}
          choices={units.map(value => ({ value, label: titles()[value] }))}
          onChange={value => onState({ unit: value as PrunedUnit })}
        />
        <span class="small muted clip">{counted(summary, unit)}</span>
      </div>
      {unit === 'heads' ? (
        <Heads
          {...props}
          colour={state.headColour}
          onColour={headColour => onState({ headColour })}
          scoring={scoring}
          prune={{ disabled, tryStep, onPrune, onAttention: (layer, head) => void api.openAttention(layer, head) }}
        />
      ) : unit === 'neurons' ? (
        <Neurons scoring={scoring} cut={state.cut} onCut={cut => onState({ cut })} tryStep={tryStep} onPrune={onPrune} />
      ) : (
        <Layers scoring={scoring} tryStep={tryStep} onPrune={onPrune} />
      )}
    </section>
  );
}

const titles = (): Readonly<Record<PrunedUnit, string>> => ({
  heads: t('Heads'),
  neurons: t('Neurons'),
  layers: t('Whole layers'),
});

/** What a model has more than one of. */
export function unitsOf({ heads, model }: Summary): readonly PrunedUnit[] {
  return [
    ...(heads.length > 0 ? (['heads'] as const) : []),
    ...(model.intermediate.some(width => width > 1) ? (['neurons'] as const) : []),
    ...(model.layers > 1 ? (['layers'] as const) : []),
  ];
}

function counted({ heads, model }: Summary, unit: PrunedUnit): string {
  if (unit === 'heads') return t('{n} in {layers} layers', { n: heads.length, layers: model.layers });
  if (unit === 'layers') return String(model.layers);
  return t('{n} in {layers} layers', { n: model.intermediate.reduce((sum, width) => sum + width, 0), layers: model.layers });
}
