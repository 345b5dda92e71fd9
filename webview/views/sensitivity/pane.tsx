import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { PartsBy, SensitivityQuestion, SensitivityRow, SensitivityView } from '../../../src/protocol/messages.ts';
import { Button, Segments } from '../../controls.tsx';
import { say, t } from '../../l10n.ts';
import { isLeftOut, leavingOut, puttingBack } from '../../layout/exclusion.ts';
import { visibleName } from '../../layout/names.ts';
import { count, share } from '../../numbers.ts';
import { Failed } from '../failed.tsx';
import { Working } from '../working.tsx';
import { Chart } from './chart.tsx';
import { CostTable } from './table.tsx';
import { driftText } from './words.ts';

export interface PaneProps {
  readonly view: SensitivityView;
  /** What would be asked now, but for the parts. */
  readonly question: Omit<SensitivityQuestion, 'parts'>;
  /** The step's own patterns. */
  readonly exclude: readonly string[];
  readonly onExclude: (exclude: readonly string[]) => void;
  readonly onMeasure: (question: SensitivityQuestion) => void;
  readonly onCancel: () => void;
  readonly onLog: () => void;
  /** For focus. */
  readonly title: RefObject<HTMLHeadingElement | null>;
}

/** What each layer costs when this step is carried out on it alone; a click leaves a part out of the step. */
export function SensitivityPane({ view, question, exclude, onExclude, onMeasure, onCancel, onLog, title }: PaneProps) {
  const asked = view.state === 'none' ? undefined : view.asked;
  const [parts, setParts] = useState<PartsBy>(asked?.parts ?? 'matrices');
  const measure = (): void => onMeasure({ ...withoutExclusion(question), parts });
  const isOther = asked !== undefined && keyOf(asked) !== keyOf(question);
  return (
    <section class="cost" aria-labelledby="cost-title">
      <h3 id="cost-title" tabIndex={-1} ref={title}>
        {t('What does each layer cost?')}
      </h3>
      <p class="d">
        {t(
          'Carries out this step on one part at a time, runs the model on text, and measures how far its outputs move. Nothing is written.',
        )}{' '}
        {question.calibration === ''
          ? t('The text: the sentences that come with Headroom.')
          : t('The text: {name}, its first 128 lines.', {
              name: visibleName(question.calibration.split(/[\\/]/).at(-1) ?? '', 60),
            })}
      </p>
      {view.state === 'running' ? (
        <Working
          title={t('Measuring what each part costs')}
          progress={view.progress}
          elapsedMs={view.elapsedMs}
          onCancel={onCancel}
        />
      ) : (
        <div class="row ask">
          <Segments
            small
            label={t('Parts')}
            value={parts}
            choices={[
              { value: 'matrices', label: t('Each matrix') },
              { value: 'layers', label: t('Each layer') },
              { value: 'organs', label: t('Each kind') },
            ]}
            onChange={value => setParts(value as PartsBy)}
          />
          <Button onClick={measure}>{view.state === 'done' ? t('Measure again') : t('Measure')}</Button>
          {view.state === 'none' && view.cancelled && (
            <span class="muted" role="status">
              {t('Cancelled.')}
            </span>
          )}
        </div>
      )}
      {view.state === 'failed' && <Failed failure={view.failure} onLog={onLog} />}
      {view.state === 'done' && <Costs view={view} isOther={isOther} exclude={exclude} onExclude={onExclude} />}
      <Told view={view} />
    </section>
  );
}

interface CostsProps extends Pick<PaneProps, 'exclude' | 'onExclude'> {
  readonly view: Extract<SensitivityView, { state: 'done' }>;
  /** It was measured with other options. */
  readonly isOther: boolean;
}

function Costs({ view: { sensitivity }, isOther, exclude, onExclude }: CostsProps) {
  const { rows, all, texts, notes } = sensitivity;
  const measured = rows.filter(({ drift }) => drift !== null);
  const out = measured.filter(row => isLeftOut(row, exclude));
  const sumOf = (some: readonly SensitivityRow[]): number => some.reduce((total, { drift }) => total + drift!, 0);
  const toggle = (some: readonly SensitivityRow[], globs: readonly string[]): void =>
    onExclude(some.every(row => isLeftOut(row, exclude)) ? puttingBack(exclude, some, rows) : leavingOut(exclude, globs));
  if (measured.length === 0) return <p class="muted">{t('This step changes no part of this model by itself.')}</p>;
  return (
    <div class={isOther ? 'stale' : undefined}>
      <p>
        {t('All parts together: drift {n}', { n: driftText(all.drift) })}{' '}
        <span class="muted">· {t('{n} sentences', { n: texts })}</span>
        {isOther && <b> · {t('measured with other options')}</b>}
      </p>
      {notes.map(note => (
        <p key={note.text} class="d">
          {say(note)}
        </p>
      ))}
      <Chart rows={rows} exclude={exclude} onToggle={toggle} />
      <p class="d">
        {out.length === 0
          ? t('A click, or Enter, leaves a cell, a row or a column out of this step; again puts it back.')
          : t('{n} of {m} parts are left out: {share} of the sum of the drifts.', {
              n: count(out.length),
              m: count(measured.length),
              share: share(sumOf(out) / Math.max(sumOf(measured), Number.MIN_VALUE), 1),
            })}{' '}
        {out.length > 0 && (
          <button type="button" class="link" onClick={() => onExclude(puttingBack(exclude, out, rows))}>
            {t('Put all back')}
          </button>
        )}
      </p>
      <CostTable rows={rows} exclude={exclude} onToggle={toggle} />
    </div>
  );
}

/** What is left out is measured too: it may be put back. */
function withoutExclusion({ step, ...rest }: Omit<SensitivityQuestion, 'parts'>): Omit<SensitivityQuestion, 'parts'> {
  const { exclude: _, ...options } = step.options;
  return { ...rest, step: { ...step, options } };
}

/** What an answer depends on. */
function keyOf(question: Omit<SensitivityQuestion, 'parts'>): string {
  const { step, calibration, format } = withoutExclusion(question);
  const options = Object.entries(step.options).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([step.pass, options, calibration, format]);
}

/** The end of a measuring, for those who cannot see the chart. */
function Told({ view }: { view: SensitivityView }) {
  const [told, tell] = useState('');
  const before = useRef(view.state);
  useEffect(() => {
    if (before.current === 'running' && view.state === 'done')
      tell(t('Measured: {n} parts.', { n: view.sensitivity.rows.length }));
    before.current = view.state;
  }, [view.state]);
  return (
    <p class="sr" role="status">
      {told}
    </p>
  );
}
