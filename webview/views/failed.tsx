import type { Failure } from '../../src/protocol/messages.ts';
import { Button } from '../controls.tsx';
import { Icon } from '../icons.tsx';
import { say, t } from '../l10n.ts';
import { visibleName } from '../layout/names.ts';

/** Of a sentence: there are names from files in it. */
const mostLetters = 600;

interface FailedProps {
  readonly failure: Failure;
  /** What could not be done, where the sentence does not say it. */
  readonly title?: string;
  /** Absent where the person asks again in another way. */
  readonly onRetry?: () => void;
  readonly onLog: () => void;
}

/** What went wrong, where, what to do about it, and another try. */
export function Failed({ failure, title, onRetry, onLog }: FailedProps) {
  return (
    <section class="state err" role="alert">
      <Icon name="error" />
      {title && <h2 class="title">{title}</h2>}
      <p>
        {failure.file && (
          <>
            <bdi class="mono">{visibleName(failure.file)}</bdi>
            {': '}
          </>
        )}
        {visibleName(say(failure.sentence), mostLetters)}
        {failure.offset !== undefined && <span class="muted"> {t('(byte {offset})', { offset: failure.offset })}</span>}
      </p>
      {failure.hint && <p class="muted">{visibleName(say(failure.hint), mostLetters)}</p>}
      <div class="row">
        {onRetry && <Button onClick={onRetry}>{t('Try again')}</Button>}
        <Button onClick={onLog}>{t('Show log')}</Button>
      </div>
    </section>
  );
}
