import { useEffect, useState } from 'preact/hooks';
import type { ProgressEvent } from '../../../src/protocol/messages.ts';
import { Icon } from '../../icons.tsx';
import { t } from '../../l10n.ts';
import { bytesText, share, timeText } from '../../numbers.ts';
import { placeWord } from './words.ts';

/** Names kept on the screen: what is being worked on, and the last ones done. */
const mostNames = 15;

export interface Work {
  readonly event: ProgressEvent;
  /** What was worked on before, latest last. */
  readonly done: readonly string[];
  readonly startedAt: number;
  readonly cancelling: boolean;
}

export const startWork = (event: ProgressEvent | null, now: number): Work => ({
  event: event ?? { what: '' },
  done: [],
  startedAt: now,
  cancelling: false,
});

export function advance(work: Work, event: ProgressEvent): Work {
  const { what } = work.event;
  const done = what === '' || what === event.what ? work.done : [...work.done.slice(-mostNames), what];
  return { ...work, event, done };
}

/** Seconds until the end at the pace so far; undefined while it would be a guess. */
function timeLeft(fraction: number | undefined, elapsedMs: number): number | undefined {
  if (fraction === undefined || fraction < 0.05 || fraction >= 1 || elapsedMs < 2000) return undefined;
  return (elapsedMs * (1 - fraction)) / fraction;
}

/** What is being done now, by name, with what is done so far. */
export function Running({ work, title }: { work: Work; title: string }) {
  const { event, done, startedAt } = work;
  const elapsed = useElapsed(startedAt);
  const left = timeLeft(event.fraction, elapsed);
  const percent = event.fraction === undefined ? undefined : Math.floor(event.fraction * 100);
  const times = [timeText(Math.round(elapsed / 1000) * 1000), left !== undefined && t('about {t} left', { t: timeText(left) })];
  return (
    <>
      <div class="row">
        <h2 class="title clip">{title}</h2>
        <span class="grow" />
        <span class="muted nowrap">{elapsed >= 1000 && times.filter(Boolean).join(', ')}</span>
      </div>
      <div class="row now">
        <b class="clip">{event.what === '' ? t('Opening the model') : placeWord(event.what)}</b>
        <span class="grow" />
        <span class="muted nowrap">
          {event.bytesTotal
            ? t('{done} of {total}', { done: bytesText(event.bytesDone ?? 0), total: bytesText(event.bytesTotal) })
            : percent !== undefined && share(event.fraction!, 0)}
        </span>
      </div>
      <div class="meter" role="progressbar" aria-label={title} aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent}>
        <i class={percent === undefined ? 'unknown' : undefined} style={{ width: `${percent ?? 35}%` }} />
      </div>
      <ol class="log" aria-label={t('Done so far')}>
        {done.slice(-mostNames + 1).map((what, index) => (
          <li key={index}>
            <Icon name="check" />
            <span class="clip">{placeWord(what)}</span>
          </li>
        ))}
        {event.what !== '' && (
          <li>
            <Icon name="ring" class="turn" />
            <span class="clip">{placeWord(event.what)}</span>
          </li>
        )}
      </ol>
      <p class="small muted">{t('Nothing is written until every step is done.')}</p>
    </>
  );
}

function useElapsed(startedAt: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, []);
  return Math.max(0, now - startedAt);
}
