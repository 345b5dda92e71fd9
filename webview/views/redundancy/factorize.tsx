import type { DryRun, Step } from '../../../src/protocol/messages.ts';
import { Button, Segments } from '../../controls.tsx';
import { t } from '../../l10n.ts';
import { alikeOf, includeOf } from '../../layout/spectrum-plot.ts';
import { TrialSizes } from '../trial-sizes.tsx';
import { useTrial } from '../use-trial.ts';
import type { Spectrum } from './spectra.tsx';
import { useKept } from './state.ts';
import { roleOf } from './words.ts';

export interface FactorizeOptions extends Readonly<Record<string, unknown>> {
  readonly rank: number;
  readonly include: readonly string[];
  readonly method?: 'whitened';
}

export interface FactorizeProps {
  readonly spectrum: Spectrum;
  readonly spectra: readonly Spectrum[];
  readonly rank: number;
  /** What is lost on text is shown: the method that loses no more is what the form gets. Sizes are the same. */
  readonly onText: boolean;
  readonly onFactorize: (options: FactorizeOptions) => void;
  readonly tryStep: (step: Step) => Promise<DryRun>;
}

/** This matrix, or all of its kind, as two thin ones of the marked rank: the exact size, and the form. */
export function Factorize({ spectrum, spectra, rank, onText, onFactorize, tryStep }: FactorizeProps) {
  const [scope, setScope] = useKept<'one' | 'all'>('factorize', 'one');
  const alike = alikeOf(spectra, spectrum);
  const all = scope === 'all' && alike !== undefined;
  const options = { rank, include: all ? includeOf(spectra, alike.role) : [spectrum.id] };
  const grows = rank > spectrum.breakEven;
  const trial = useTrial(grows ? null : { pass: 'factorize', options }, tryStep);
  return (
    <div class="row factorize">
      {alike && (
        <Segments
          small
          label={t('Matrices to factorize')}
          value={all ? 'all' : 'one'}
          choices={[
            { value: 'one', label: t('This one') },
            { value: 'all', label: t('{role} of all {n} layers', { role: roleOf(alike.role).title, n: alike.ids.length }) },
          ]}
          onChange={value => setScope(value as 'one' | 'all')}
        />
      )}
      <Button disabled={grows} onClick={() => onFactorize({ ...options, ...(onText && { method: 'whitened' as const }) })}>
        {t('Factorize to rank {rank}…', { rank })}
      </Button>
      {!grows && <TrialSizes trial={trial} />}
    </div>
  );
}
