import { useMemo, useRef } from 'preact/hooks';
import { t } from '../../../l10n.ts';
import { type Scale, sortedLine } from '../../../layout/unit-scores.ts';
import { real, share } from '../../../numbers.ts';
import { useWidth } from '../../use-width.ts';

interface CutCurveProps {
  readonly label: string;
  /** Sorted scores, the lowest first: one line each. */
  readonly lines: readonly (readonly number[])[];
  readonly scale: Scale;
  /** Units in all, at most so many may be cut, and so many are. */
  readonly total: number;
  readonly most: number;
  readonly cut: number;
  /** What the cut says. */
  readonly valueText: string;
  readonly disabled: boolean;
  readonly onCut: (cut: number) => void;
}

/** CSS pixels round the plot, and its height. */
const [left, right, top, bottom, tall] = [44, 10, 8, 20, 130];

/** Scores in their order, and a cut through them that a pointer drags and arrow keys move: what lies left of it goes. */
export function CutCurve({ label, lines, scale, total, most, cut, valueText, disabled, onCut }: CutCurveProps) {
  const frame = useRef<HTMLDivElement>(null);
  const width = Math.max(120, useWidth(frame) - left - right);
  const drawn = useMemo(() => lines.map(line => sortedLine(line, scale, width, tall)), [lines, scale, width]);
  const bound = (to: number): number => Math.max(0, Math.min(most, Math.round(to)));
  const hundredth = Math.max(1, Math.round(total / 100));
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.shiftKey ? 1 : hundredth;
    const to = {
      ...{ ArrowRight: cut + step, ArrowUp: cut + step, ArrowLeft: cut - step, ArrowDown: cut - step },
      ...{ PageUp: cut + 10 * hundredth, PageDown: cut - 10 * hundredth, Home: 0, End: most },
    }[event.key];
    if (to === undefined || disabled) return;
    event.preventDefault();
    onCut(bound(to));
  };
  const drag = (event: PointerEvent): void => {
    if (disabled || (event.type === 'pointermove' && event.buttons !== 1)) return;
    const surface = event.currentTarget as HTMLElement;
    if (event.type === 'pointerdown') surface.setPointerCapture(event.pointerId);
    const { left: from } = surface.getBoundingClientRect();
    onCut(bound(((event.clientX - from - left) / width) * total));
  };
  const x = (width * cut) / total;
  return (
    <div
      ref={frame}
      class="cut-curve"
      role="slider"
      tabIndex={disabled ? -1 : 0}
      aria-disabled={disabled}
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={most}
      aria-valuenow={cut}
      aria-valuetext={valueText}
      onKeyDown={onKeyDown}
      onPointerDown={drag}
      onPointerMove={drag}
    >
      <svg width={width + left + right} height={tall + top + bottom} aria-hidden="true">
        <g transform={`translate(${left} ${top})`}>
          <line class="axis" x1={0} x2={width} y1={tall} y2={tall} />
          <text x={-5} y={9} text-anchor="end">
            {real(scale.largest, 2)}
          </text>
          <text x={-5} y={tall} text-anchor="end">
            {real(scale.log ? Math.max(scale.smallest, scale.largest * 1e-6) : scale.smallest, 2)}
          </text>
          {[0, 0.25, 0.5, 0.75, 1].map(at => (
            <text key={at} x={at * width} y={tall + 15} text-anchor={at === 1 ? 'end' : at === 0 ? 'start' : 'middle'}>
              {share(at, 0)}
            </text>
          ))}
          <rect class="gone" x={0} y={0} width={x} height={tall} />
          {drawn.map((points, line) => (
            <polyline key={line} points={points} />
          ))}
          <line class="at" x1={x} x2={x} y1={-4} y2={tall} />
          <rect class="grip" x={x - 4} y={tall / 2 - 10} width={8} height={20} rx={3} />
        </g>
      </svg>
      <p class="small muted">{scale.log ? t('Scores, the lowest first, log scale') : t('Scores, the lowest first')}</p>
    </div>
  );
}
