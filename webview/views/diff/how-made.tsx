import { Fragment } from 'preact';
import type { Made } from '../../../src/protocol/messages.ts';
import { Icon } from '../../icons.tsx';
import { say, t } from '../../l10n.ts';
import { leftAlone } from '../../layout/diff-left-alone.ts';
import { visibleName } from '../../layout/names.ts';
import { bytesText, count, timeText } from '../../numbers.ts';
import { optionsWord, passWord } from './words.ts';

interface HowMadeProps {
  readonly made: Made | null;
  readonly names: { readonly before: string; readonly after: string };
  readonly onOpenOriginal: () => void;
  readonly onOpenResult: () => void;
}

/** Where the second model came from, when Headroom made it; the two files in any case. */
export function HowMade({ made, names, onOpenOriginal, onOpenResult }: HowMadeProps) {
  return (
    <section class="pane">
      <h2>{made ? t('How this was made') : t('Files')}</h2>
      <dl class="kv">
        {made?.recipe.steps.map((step, index) => (
          <Fragment key={index}>
            <dt>{t('Step {n}', { n: index + 1 })}</dt>
            <dd class="wrap">
              {passWord(step.pass)} <span class="muted">{optionsWord(step.options)}</span>
            </dd>
          </Fragment>
        ))}
        {made?.calibration !== undefined && (
          <>
            <dt>{t('Text')}</dt>
            <dd class="clip" title={visibleName(made.calibration)}>
              <bdi>{visibleName(made.calibration.split(/[\\/]/).at(-1) ?? '')}</bdi>
            </dd>
          </>
        )}
        {made && (
          <>
            <dt>{t('Took')}</dt>
            <dd>
              {t('{time}, peak {bytes}', { time: timeText(made.report.seconds * 1000), bytes: bytesText(made.report.peakBytes) })}
            </dd>
          </>
        )}
        <dt>{t('Before')}</dt>
        <dd title={visibleName(names.before)}>
          <button type="button" class="link" onClick={onOpenOriginal}>
            <bdi>{visibleName(names.before)}</bdi>
          </button>
        </dd>
        <dt>{t('After')}</dt>
        <dd title={made?.report.out}>
          <button type="button" class="link" onClick={onOpenResult}>
            <bdi>{visibleName(names.after)}</bdi>
          </button>
        </dd>
      </dl>
      {made?.report.notes && made.report.notes.length > 0 && (
        <ul class="reasons small">
          {made.report.notes.map(({ note, sentence }) => (
            <li key={note}>
              <Icon name="info" />
              <span>{say(sentence)}</span>
            </li>
          ))}
        </ul>
      )}
      {made && made.report.skipped.length > 0 && <LeftAlone skipped={made.report.skipped} />}
    </section>
  );
}

/** What was left alone, a line for each reason. */
export function LeftAlone({ skipped }: { skipped: Made['report']['skipped'] }) {
  return (
    <>
      <h3>
        {t('Left alone')} <span class="muted">{count(skipped.length)}</span>
      </h3>
      <ul class="reasons small">
        {leftAlone(skipped).map(({ reason, targets }) => (
          <li
            key={JSON.stringify(reason)}
            title={targets
              .slice(0, 40)
              .map(target => visibleName(target))
              .join('\n')}
          >
            <Icon name="info" />
            <span>
              {targets.length === 1 ? <bdi>{visibleName(targets[0]!)}</bdi> : count(targets.length)}{' '}
              <span class="muted">{say(reason)}</span>
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
