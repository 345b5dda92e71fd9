import { useEffect, useRef, useState } from 'preact/hooks';
import type { ProgressEvent } from '../../src/protocol/messages.ts';
import { Button } from '../controls.tsx';
import { t } from '../l10n.ts';
import { visibleName } from '../layout/names.ts';
import { count, text, timeText } from '../numbers.ts';

/** Before this much is known no time is foretold: share of the work, and milliseconds. */
const [leastShare, leastMs] = [0.04, 1500];

/** How far it is, how long it takes, and a way to stop it. */
export function Working({
  title,
  progress,
  elapsedMs,
  onCancel,
}: {
  title: string;
  progress: ProgressEvent | null;
  elapsedMs: number;
  onCancel: () => void;
}) {
  const [started] = useState(() => performance.now() - elapsedMs);
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    const clock = setInterval(() => setNow(performance.now()), 1000);
    return () => clearInterval(clock);
  }, []);
  const fraction = progress?.fraction ?? 0;
  const percent = Math.floor(100 * fraction);
  const elapsed = Math.max(0, now - started);
  const left = fraction >= leastShare && elapsed >= leastMs ? (elapsed * (1 - fraction)) / fraction : undefined;
  return (
    <section class="state" aria-busy="true">
      <h2 class="title">{title}</h2>
      <div class="meter" role="progressbar" aria-label={title} aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent}>
        <i style={{ width: `${(100 * fraction).toFixed(1)}%` }} />
      </div>
      <p class="row small">
        <span>{`${percent}\u00a0%`}</span>
        <span class="muted">{clockText(elapsed)}</span>
        <span class="grow" />
        {left !== undefined && <span class="muted">{t('about {t} left', { t: clockText(Math.max(1000, left)) })}</span>}
      </p>
      <p class="muted small clip mono">
        <bdi>{visibleName(progress?.what ?? '', 120) || '\u00a0'}</bdi>
      </p>
      <div class="row">
        <Button onClick={onCancel}>{t('Cancel')}</Button>
      </div>
      <Announced text={t('{what}, {n} percent', { what: title, n: Math.floor(percent / 10) * 10 })} />
    </section>
  );
}

/** Whole seconds: it changes once a second. */
const clockText = (milliseconds: number): string =>
  milliseconds < 10_000 ? text({ value: count(Math.floor(milliseconds / 1000)), unit: 's' }) : timeText(milliseconds);

/** Every tenth, for those who cannot see the meter. */
function Announced({ text: told }: { text: string }) {
  const first = useRef(told);
  return (
    <p class="sr" role="status">
      {told === first.current ? '' : told}
    </p>
  );
}
