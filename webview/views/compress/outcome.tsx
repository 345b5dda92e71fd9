import type { CompressReport, Failure } from '../../../src/protocol/messages.ts';
import { Button } from '../../controls.tsx';
import { Icon } from '../../icons.tsx';
import { say, t } from '../../l10n.ts';
import { bytesText, changeShare, timeText } from '../../numbers.ts';

/** What came of the last run: shown above the form until the next one. */
export type Outcome =
  | { readonly kind: 'done'; readonly report: CompressReport }
  | { readonly kind: 'failed'; readonly failure: Failure };

interface OutcomeProps {
  readonly outcome: Outcome;
  readonly onOpen: (out: string) => void;
  readonly onLog: () => void;
  readonly onClose: () => void;
  /** Where the focus goes after a run. */
  readonly element: (element: HTMLElement | null) => void;
}
export function OutcomeBanner({ outcome, onOpen, onLog, onClose, element }: OutcomeProps) {
  if (outcome.kind === 'done') {
    const { report } = outcome;
    return (
      <section class="banner" aria-label={t('Result')}>
        <Icon name="check" />
        <p class="grow">
          {doneWord(report)} <span class="muted">{timeText(report.seconds * 1000)}</span>
          <br />
          <span class="mono wrap">{report.out}</span>
        </p>
        <Button element={element} onClick={() => onOpen(report.out)}>
          {t('Open result')}
        </Button>
        <Button kind="icon" label={t('Close')} onClick={onClose}>
          <Icon name="close" />
        </Button>
      </section>
    );
  }
  const { failure } = outcome;
  const cancelled = failure.code === 'cancelled';
  return (
    <section class={cancelled ? 'banner' : 'banner failed'} aria-label={t('Result')}>
      <Icon name={cancelled ? 'info' : 'error'} />
      <p class="grow wrap">
        {failureWord(failure)}
        {failure.hint && <span class="muted"> {say(failure.hint)}</span>}
      </p>
      {!cancelled && (
        <Button element={element} onClick={onLog}>
          {t('Show log')}
        </Button>
      )}
      <Button kind="icon" label={t('Close')} element={cancelled ? element : undefined} onClick={onClose}>
        <Icon name="close" />
      </Button>
    </section>
  );
}

/** "Done. 23.5 MB, −74.1 %" */
export const doneWord = ({ before, after }: CompressReport): string =>
  t('Done. {size}, {change}.', { size: bytesText(after.fileBytes), change: changeShare(before.fileBytes, after.fileBytes) });

/** The sentence, and that nothing was written where the sentence does not say it. */
export function failureWord({ sentence, code, file }: Failure): string {
  const said = (file ? `${file}: ` : '') + say(sentence);
  if (code === 'cancelled' || code === 'engine-stopped' || /Nothing was/.test(sentence.text)) return said;
  return `${said} ${t('Nothing was written.')}`;
}
