import { useMemo, useState } from 'preact/hooks';
import type { TensorStatistics } from '../../../../src/protocol/messages.ts';
import { t } from '../../../l10n.ts';
import { type Bin, bins } from '../../../layout/bins.ts';
import { count, real } from '../../../numbers.ts';

/** How the values are spread. A pointer or the arrow keys mark a bar and tell its values. */
export function Histogram({ statistics, log }: { statistics: TensorStatistics; log: boolean }) {
  const { histogram } = statistics;
  const bars = useMemo(() => bins(histogram, log), [histogram, log]);
  const [marked, setMarked] = useState<number | null>(null);
  const at = marked === null ? undefined : bars[marked];
  const focusAt = marked ?? tallestOf(bars);
  const onKeyDown = (event: KeyboardEvent): void => {
    const to = {
      ArrowRight: focusAt + 1,
      ArrowUp: focusAt + 1,
      ArrowLeft: focusAt - 1,
      ArrowDown: focusAt - 1,
      Home: 0,
      End: bars.length - 1,
    }[event.key];
    if (event.key === 'Escape') setMarked(null);
    if (to === undefined) return;
    event.preventDefault();
    setMarked(Math.max(0, Math.min(bars.length - 1, to)));
  };
  const onPointerMove = (event: PointerEvent): void => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const bar = Math.floor(((event.clientX - box.left) / box.width) * bars.length);
    setMarked(Math.max(0, Math.min(bars.length - 1, bar)));
  };
  const zero = histogram.from < 0 && histogram.to > 0 ? -histogram.from / (histogram.to - histogram.from) : undefined;
  return (
    <figure class="histogram">
      <div
        class="plot"
        role="slider"
        tabIndex={0}
        aria-label={t('Histogram of {n} values', { n: statistics.count })}
        aria-valuemin={0}
        aria-valuemax={bars.length - 1}
        aria-valuenow={focusAt}
        aria-valuetext={bars[focusAt] ? binText(bars[focusAt]) : ''}
        title={at && binText(at)}
        onKeyDown={onKeyDown}
        onPointerMove={onPointerMove}
        onPointerLeave={() => setMarked(null)}
        onBlur={() => setMarked(null)}
      >
        <svg viewBox={`0 0 ${bars.length} 100`} preserveAspectRatio="none" aria-hidden="true">
          {bars.map(({ height }, bar) => {
            const tall = height > 0 ? Math.max(height * 98, 1.5) : 0;
            return <rect key={bar} class={bar === marked ? 'on' : ''} x={bar + 0.06} y={100 - tall} width={0.88} height={tall} />;
          })}
        </svg>
      </div>
      <div class="axis small muted" aria-hidden="true">
        <span>{real(histogram.from)}</span>
        {zero !== undefined && zero > 0.2 && zero < 0.8 && (
          <span class="zero" style={{ left: `${zero * 100}%` }}>
            0
          </span>
        )}
        <span>{real(histogram.to)}</span>
      </div>
      <figcaption>{at ? binText(at) : summaryText(statistics)}</figcaption>
    </figure>
  );
}

const tallestOf = (bars: readonly Bin[]): number =>
  bars.reduce((most, bar, index) => (bar.count > bars[most]!.count ? index : most), 0);

const binText = ({ from, to, count }: Bin): string =>
  t('{from} to {to}: {n} values', { from: real(from), to: real(to), n: count });

function summaryText({ count: values, zeros, nonFinite }: TensorStatistics): string {
  return [
    t('{n} values', { n: values }),
    t('{n} zeros', { n: zeros }),
    nonFinite ? t('{n} not finite', { n: count(nonFinite) }) : t('all finite'),
  ].join(' · ');
}
