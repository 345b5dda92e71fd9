import type { ComponentChildren } from 'preact';
import type { Evaluation, Measurement } from '../../../src/protocol/messages.ts';
import { Button } from '../../controls.tsx';
import { say, t } from '../../l10n.ts';
import { pairBar } from '../../layout/diff-bars.ts';
import { visibleName } from '../../layout/names.ts';
import { bytesText, cosine, decimals, factor, timeText } from '../../numbers.ts';
import { PairBar } from '../diff/pair-bar.tsx';
import { agreementText, metricWord, taskWord } from './words.ts';

export interface MeasureActions {
  readonly onMeasure: () => void;
  readonly onCancel: () => void;
}

/** Quality and speed: what was measured, what runs, or that nothing was measured and what it needs. */
export function MeasureTiles({
  measurement,
  predicted,
  ...actions
}: { measurement: Measurement; predicted?: number | undefined } & MeasureActions) {
  switch (measurement.state) {
    case 'running':
      return <Running measurement={measurement} onCancel={actions.onCancel} />;
    case 'done':
      return (
        <>
          <Quality evaluation={measurement.kept.evaluation} changed={measurement.changed} predicted={predicted} />
          <Speed evaluation={measurement.kept.evaluation} changed={measurement.changed} onMeasure={actions.onMeasure} />
        </>
      );
    default:
      return <Unmeasured measurement={measurement} {...actions} />;
  }
}

function Tile(props: { title: string; tip?: string | undefined; action?: ComponentChildren; children: ComponentChildren }) {
  const { title, tip, action, children } = props;
  return (
    <div title={tip}>
      <div class="row">
        <h2>{title}</h2>
        <span class="grow" />
        {action}
      </div>
      {children}
    </div>
  );
}

function Unmeasured({
  measurement,
  onMeasure,
}: {
  measurement: Extract<Measurement, { state: 'none' | 'cancelled' | 'failed' }>;
} & MeasureActions) {
  const [quality, speed] = reasonsOf(measurement);
  const button = (
    <Button class="measure" onClick={onMeasure}>
      {t('Measure…')}
    </Button>
  );
  return (
    <>
      <Tile title={t('Quality')}>
        <p class="big muted">{t('Not measured')}</p>
        <p class={`small ${measurement.state === 'failed' ? 'err wrap' : 'muted clip'}`} title={quality}>
          {quality}
        </p>
        {button}
      </Tile>
      <Tile title={t('Speed')}>
        <p class="big muted">{t('Not measured')}</p>
        <p class="small muted clip" title={speed}>
          {speed}
        </p>
        {button}
      </Tile>
    </>
  );
}

function reasonsOf(measurement: Extract<Measurement, { state: 'none' | 'cancelled' | 'failed' }>): readonly [string, string] {
  const needs = t('Needs a run of both models on this machine');
  if (measurement.state === 'cancelled') return [t('Cancelled.'), needs];
  if (measurement.state === 'none')
    return [measurement.why ? say(measurement.why) : t('Needs sentences, or a task with answers'), needs];
  const { file, sentence } = measurement.failure;
  return [`${file ? `${visibleName(file)}: ` : ''}${visibleName(say(sentence), 400)}`, needs];
}

function Running({ measurement, onCancel }: { measurement: Extract<Measurement, { state: 'running' }>; onCancel: () => void }) {
  const { progress, title } = measurement;
  const percent = progress?.fraction === undefined ? undefined : Math.floor(progress.fraction * 100);
  return (
    <div class="measuring">
      <h2>
        {t('Quality')} · {t('Speed')}
      </h2>
      <p class="row">
        <span class="big muted">{t('Measuring…')}</span>
        <span class="grow" />
        <Button onClick={onCancel}>{t('Cancel')}</Button>
      </p>
      <p class="small muted clip" title={taskWord(title)}>
        {taskWord(title)}
        {progress?.what && (
          <>
            {' · '}
            <bdi>{visibleName(progress.what, 120)}</bdi>
          </>
        )}
      </p>
      <div
        class="prog meter"
        role="progressbar"
        aria-label={t('Measuring…')}
        {...(percent !== undefined && { 'aria-valuenow': percent, 'aria-valuemin': 0, 'aria-valuemax': 100 })}
      >
        {percent === undefined ? <i /> : <b style={{ width: `${percent}%` }} />}
      </div>
    </div>
  );
}

function Quality(props: { evaluation: Evaluation; changed: boolean; predicted: number | undefined }) {
  const { evaluation, changed, predicted } = props;
  const { drift, metrics, task, against } = evaluation;
  const texts = drift?.count ?? metrics[0]?.count ?? 0;
  const facts = [
    predicted !== undefined && t('predicted without repair ≈ {cosine}', { cosine: cosine(predicted) }),
    drift?.cosineMin != null && t('worst {cosine}', { cosine: cosine(drift.cosineMin) }),
    drift?.agreement != null && t('{share} same predictions', { share: agreementText(drift.agreement) }),
  ].filter(Boolean);
  const scores = metrics.map(({ name, value }) => {
    const before = against?.metrics.find(it => it.name === name)?.value;
    return t('{metric} {before} → {after}', { metric: metricWord(name), before: points(before), after: points(value) });
  });
  const big = drift?.cosineMean ?? drift?.agreement ?? null;
  const said = [...scores, t('{n} texts', { n: texts }), taskWord(task)].join(' · ');
  return (
    <Tile title={t('Quality')} tip={[facts.join(' · '), said].join('\n')}>
      <p class="big quality">
        {big === null ? '–' : drift?.cosineMean != null ? cosine(big) : agreementText(big)}{' '}
        <span class="muted">{drift?.cosineMean != null ? t('cosine to the original') : t('same predictions')}</span>
      </p>
      <p class="small muted clip">{facts.join(' · ')}</p>
      <p class="small muted clip">{changed ? t('The model has changed since.') : said}</p>
    </Tile>
  );
}

const points = (value: number | null | undefined): string => (typeof value === 'number' ? decimals(value, 2) : '–');

function Speed({ evaluation, changed, onMeasure }: { evaluation: Evaluation; changed: boolean; onMeasure: () => void }) {
  const { latency, against, loadMs, peakBytes, runtime } = evaluation;
  const before = against?.latency.medianMs;
  const times = before === undefined ? undefined : speedText(before, latency.medianMs);
  const on = t('{batch} × {length} tokens, {threads} threads', {
    batch: latency.batch,
    length: latency.length,
    threads: latency.threads,
  });
  const load = against
    ? t('loads in {after}, before {before}', { after: timeText(loadMs), before: timeText(against.loadMs) })
    : t('loads in {after}', { after: timeText(loadMs) });
  const peak = t('peak memory of both {bytes}', { bytes: bytesText(peakBytes) });
  const tip = [
    t('Median of {n} runs, both models in turn; 90 % within {p90}.', { n: latency.runs, p90: timeText(latency.p90Ms) }),
    load,
    peak,
    visibleName(runtime, 80),
  ].join('\n');
  const again = (
    <button type="button" class="link small" onClick={onMeasure}>
      {changed ? t('Measure again…') : t('Measure…')}
    </button>
  );
  const bar = before === undefined ? undefined : pairBar(before, latency.medianMs, Math.max(before, latency.medianMs));
  return (
    <Tile title={t('Speed')} tip={tip} action={again}>
      <p class="big">
        {timeText(latency.medianMs)}{' '}
        {before !== undefined && <span class="muted">{t('from {before}', { before: timeText(before) })}</span>}
      </p>
      <p class="small muted clip">{[times, t('loads in {after}', { after: timeText(loadMs) })].filter(Boolean).join(' · ')}</p>
      <p class="small muted clip">{on}</p>
      {bar && <PairBar bar={{ ...bar, tick: false }} organ="attention" />}
    </Tile>
  );
}

/** "1.44 × faster"; under 1.01 either way nothing is claimed. */
function speedText(before: number, after: number): string {
  const faster = factor(before, after);
  if (faster) return t('{x} × faster', { x: faster });
  const slower = factor(after, before);
  return slower ? t('{x} × slower', { x: slower }) : t('as fast');
}
