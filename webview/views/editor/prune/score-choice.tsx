import { Dropdown } from '../../../controls.tsx';
import { say, t } from '../../../l10n.ts';
import { visibleName } from '../../../layout/names.ts';
import { Progress } from '../inside/progress.tsx';
import { needsText, type Scoring, scoredBy } from './use-scores.ts';

/** What units are scored by, the text it takes, and the work while it runs. */
export function ScoreChoice({ scoring }: { scoring: Scoring }) {
  const { pass, by, onBy, text, scores, plain, onRun, disabled } = scoring;
  const { reading } = onRun;
  return (
    <div class="score-choice">
      <div class="row">
        <span class="small muted">{t('Scored by')}</span>
        <Dropdown
          class="short"
          label={t('Scored by')}
          value={by}
          choices={scoredBy[pass].map(value => ({ value, label: value }))}
          disabled={disabled}
          onChange={onBy}
        />
      </div>
      {scores && <p class="small muted">{say(scores.meaning)}</p>}
      {!needsText(by) && plain.reading.state !== 'done' && (
        <Progress reading={plain.reading} byteLength={undefined} onStart={plain.start} onCancel={plain.cancel} />
      )}
      <p class="row small wraps text">
        <span class="muted">{t('Text')}</span>
        <span class="clip" title={text}>
          {text === '' ? t('The sentences that come with Headroom') : <bdi>{visibleName(text.split(/[\\/]/).at(-1)!, 80)}</bdi>}
        </span>
        <button type="button" class="link" disabled={disabled} onClick={scoring.onChooseText}>
          {t('Choose…')}
        </button>
        {text !== '' && (
          <button type="button" class="link" disabled={disabled} onClick={() => scoring.onText('')}>
            {t('Use Headroom’s own')}
          </button>
        )}
      </p>
      {reading.state === 'idle' ? (
        <p class="row small">
          <span class="muted grow">
            {needsText(by) ? t('It takes running the model on text.') : t('The predicted loss takes running the model on text.')}
          </span>
          <button type="button" class="btn sm" disabled={disabled} onClick={onRun.start}>
            {needsText(by) ? t('Compute') : t('Predict the loss')}
          </button>
        </p>
      ) : (
        <Progress
          reading={reading}
          byteLength={undefined}
          doing={t('Running the model on text…')}
          onStart={onRun.start}
          onCancel={onRun.cancel}
        />
      )}
    </div>
  );
}
