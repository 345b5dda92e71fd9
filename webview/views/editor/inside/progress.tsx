import type { Failure } from '../../../../src/protocol/messages.ts';
import { t } from '../../../l10n.ts';
import { visibleName } from '../../../layout/names.ts';
import { bytesText } from '../../../numbers.ts';
import type { Reading } from './reading.ts';
import { failureText } from './subject.ts';

export interface ProgressProps {
  readonly reading: Reading<unknown>;
  /** Bytes it reads, where that is known. */
  readonly byteLength: number | undefined;
  /** What is being done, where it is not reading. */
  readonly doing?: string;
  readonly onStart: () => void;
  readonly onCancel: () => void;
}

/** What stands where a result will: a meter once it takes long, what went wrong, or a button that begins it. */
export function Progress({ reading, byteLength, doing, onStart, onCancel }: ProgressProps) {
  const size = byteLength === undefined ? undefined : bytesText(byteLength);
  if (reading.state === 'idle')
    return (
      <p class="row small muted">
        <span>{size ? t('Takes reading {size}.', { size }) : t('Not measured')}</span>
        <button type="button" class="btn sm" onClick={onStart}>
          {t('Compute')}
        </button>
      </p>
    );
  if (reading.state === 'failed') return <Failed failure={reading.failure} onStart={onStart} />;
  if (reading.state !== 'reading' || !reading.late) return null;
  const fraction = reading.progress?.fraction;
  const text = doing ?? (size ? t('Reading {size}', { size }) : t('Reading…'));
  return (
    <div class="reading small">
      <div class="row">
        <span class="muted">{text}</span>
        <span class="grow" />
        <button type="button" class="btn sm" onClick={onCancel}>
          {t('Cancel')}
        </button>
      </div>
      <div
        class={fraction === undefined ? 'prog' : 'meter'}
        role="progressbar"
        aria-label={text}
        {...(fraction !== undefined && { 'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-valuenow': Math.round(fraction * 100) })}
      >
        <i style={fraction === undefined ? {} : { width: `${fraction * 100}%` }} />
      </div>
    </div>
  );
}

function Failed({ failure, onStart }: { failure: Failure; onStart: () => void }) {
  const stopped = failure.code === 'cancelled';
  return (
    <div class="row small failed" role={stopped ? undefined : 'alert'}>
      <span class={stopped ? 'muted' : 'error'}>{stopped ? t('Cancelled.') : visibleName(failureText(failure), 600)}</span>
      <span class="grow" />
      <button type="button" class="btn sm" onClick={onStart}>
        {stopped ? t('Compute') : t('Try again')}
      </button>
    </div>
  );
}
