import type { Failure } from '../../../src/protocol/messages.ts';
import { Button } from '../../controls.tsx';
import { Icon } from '../../icons.tsx';
import { say, t } from '../../l10n.ts';
import { visibleName } from '../../layout/names.ts';

/** The model could not be opened, so there is nothing to compress. */
export function Unopened({ failure, onRetry, onLog }: { failure: Failure; onRetry: () => void; onLog: () => void }) {
  return (
    <main class="state err">
      <Icon name="error" />
      <h1>{t('This model could not be opened')}</h1>
      <p role="alert">
        {failure.file && (
          <>
            <bdi class="mono">{visibleName(failure.file)}</bdi>
            {': '}
          </>
        )}
        {say(failure.sentence)}
        {failure.offset !== undefined && <span class="muted"> {t('(byte {offset})', { offset: failure.offset })}</span>}
      </p>
      {failure.hint && <p class="muted">{say(failure.hint)}</p>}
      <div class="row">
        <Button onClick={onRetry}>{t('Try again')}</Button>
        <Button onClick={onLog}>{t('Show log')}</Button>
      </div>
    </main>
  );
}
