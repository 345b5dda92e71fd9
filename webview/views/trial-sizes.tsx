import { say, t } from '../l10n.ts';
import { bytesText, changeShare, exactBytes } from '../numbers.ts';
import type { Trial } from './use-trial.ts';
import { Wrong } from './wrong.tsx';

/** What the file would be after one step: "87.3 MB from 90.9 MB · −3.9 % · exact", or why not. */
export function TrialSizes({ trial: { answer, stale } }: { trial: Trial }) {
  return (
    <div class={stale ? 'small grow trial stale' : 'small grow trial'} aria-busy={stale}>
      {answer?.report ? (
        <>
          <b title={exactBytes(answer.report.after.fileBytes)}>{bytesText(answer.report.after.fileBytes)}</b>{' '}
          <span class="muted">
            {t('from {before}', { before: bytesText(answer.report.before.fileBytes) })} ·{' '}
            {changeShare(answer.report.before.fileBytes, answer.report.after.fileBytes)} · {t('exact')}
          </span>
        </>
      ) : answer?.failure ? (
        <Wrong>{say(answer.failure.sentence)}</Wrong>
      ) : (
        <span class="muted">{t('Working out the sizes.')}</span>
      )}
    </div>
  );
}
