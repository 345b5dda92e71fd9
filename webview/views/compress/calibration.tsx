import type { Failure } from '../../../src/protocol/messages.ts';
import { say, t } from '../../l10n.ts';
import { Wrong } from '../wrong.tsx';
import { host } from './host.ts';
import { PathControl } from './path-control.tsx';

interface CalibrationProps {
  /** A path, or '' for none. */
  readonly value: string;
  /** Why the text, or its absence, stands in the way. */
  readonly failure: Failure | undefined;
  readonly onChange: (path: string) => void;
}

/** The text that the methods of all steps run the model on. */
export function CalibrationField({ value, failure, onChange }: CalibrationProps) {
  return (
    <section class="all" aria-label={t('For all steps')}>
      <h3>{t('For all steps')}</h3>
      <div class="f">
        <span class={value === '' ? 'lab' : 'lab set'}>{t('Calibration text')}</span>
        <div class="control">
          <PathControl
            label={t('Calibration text')}
            value={value}
            invalid={failure !== undefined}
            describedBy="calibration-help"
            onChange={onChange}
            onChoose={current => host.api.chooseCalibration(current)}
          />
          {failure && <Wrong>{say(failure.sentence)}</Wrong>}
        </div>
        <p class="d" id="calibration-help">
          {t(
            'Sentences, one on each line, for methods that look at what the model computes. The first 2,048 are read; more are better.',
          )}{' '}
          <button type="button" class="link" onClick={async () => onChange(await host.api.ownSentences())}>
            {t('Use the sentences that come with Headroom')}
          </button>
          {value !== '' && (
            <>
              {' · '}
              <button type="button" class="link" onClick={() => onChange('')}>
                {t('Use none')}
              </button>
            </>
          )}
        </p>
      </div>
    </section>
  );
}
