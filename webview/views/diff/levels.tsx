import type { MatrixDiff } from '../../../src/protocol/messages.ts';
import { t } from '../../l10n.ts';
import { count, real } from '../../numbers.ts';

/** Heights of the two charts, in units of the drawing. */
const [tall, low] = [60, 26];

/** The histogram before, and under it, on the same axis, a line for each level of a channel after. */
export function Levels({ diff: { histogram, levels, channel } }: { diff: MatrixDiff }) {
  const from = Math.min(histogram.from, levels?.[0]?.value ?? histogram.from);
  const to = Math.max(histogram.to, levels?.at(-1)?.value ?? histogram.to);
  const across = (value: number): number => (to > from ? ((value - from) / (to - from)) * 100 : 50);
  const most = Math.max(1, ...histogram.counts);
  const often = Math.max(1, ...(levels ?? []).map(level => level.count));
  const bin = (histogram.to - histogram.from) / histogram.counts.length;
  const told = t('Values before from {from} to {to}; channel {channel} takes {n} values after.', {
    from: real(histogram.from),
    to: real(histogram.to),
    channel: String(channel),
    n: levels ? count(levels.length) : t('many'),
  });
  return (
    <>
      <svg viewBox={`0 0 100 ${tall + low + 2}`} preserveAspectRatio="none" role="img" aria-label={told}>
        {histogram.counts.map((each, at) => {
          const left = across(histogram.from + at * bin);
          const height = (tall * each) / most;
          const width = across(histogram.from + (at + 1) * bin) - left;
          return <rect key={at} class="was" x={left} y={tall - height} width={width} height={height} />;
        })}
        {(levels ?? []).map(({ value, count: each }) => {
          const height = 4 + (low - 4) * (each / often);
          return (
            <line
              key={value}
              class="level"
              x1={across(value)}
              x2={across(value)}
              y1={tall + low + 2 - height}
              y2={tall + low + 2}
            />
          );
        })}
      </svg>
      <div class="axis small muted" aria-hidden="true">
        <span>{real(from, 2)}</span>
        <span>{real(to, 2)}</span>
      </div>
    </>
  );
}
