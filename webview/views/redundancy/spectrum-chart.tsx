import { useMemo, useRef, useState } from 'preact/hooks';
import { Segments } from '../../controls.tsx';
import { t } from '../../l10n.ts';
import {
  decadesOf,
  fullRank,
  heightsOf,
  labelRows,
  placeOf as layerPlaceOf,
  lineOf,
  nearest,
  rankTicks,
  thinShare,
} from '../../layout/spectrum-plot.ts';
import { count, real, shape, share } from '../../numbers.ts';
import { useWidth } from '../use-width.ts';
import { Factorize, type FactorizeProps } from './factorize.tsx';
import { type AskOutputs, OutputsSwitch, useOutputs } from './outputs.tsx';
import type { Spectrum } from './spectra.tsx';
import { useKept } from './state.ts';
import { matrixTitle } from './words.ts';

interface Props {
  readonly spectrum: Spectrum;
  /** All there are: those of the same kind can be factorized together. */
  readonly spectra: readonly Spectrum[];
  /** Absent where no command makes two matrices of one. */
  readonly onFactorize?: FactorizeProps['onFactorize'] | undefined;
  readonly tryStep: FactorizeProps['tryStep'];
  readonly askOutputs: AskOutputs;
}

/** CSS pixels round the plot, and its height. */
const [left, right, top, bottom, tall] = [40, 44, 44, 20, 190];
const labelWidth = 34;

/** One spectrum, large: what the first ranks keep, and the singular values. A pointer or the arrow keys read it; a click or a key holds the rank. */
export function SpectrumChart({ spectrum, spectra, onFactorize, tryStep, askOutputs }: Props) {
  const frame = useRef<HTMLElement>(null);
  const width = Math.max(120, useWidth(frame) - left - right);
  const [log, setLog] = useKept('log', false);
  const [held, hold] = useState<number | null>(null);
  const [pointed, point] = useState<number | null>(null);
  const full = fullRank(spectrum);
  const isInLayer = layerPlaceOf(spectrum.id) !== undefined;
  const [wantsOutputs, wantOutputs] = useKept('outputs', false);
  const outputs = useOutputs(spectrum.id, wantsOutputs && isInLayer, askOutputs);
  const lost = outputs.state === 'done' ? spectrum.ranks.map(rank => outputs.outputs.errors[rank - 1] ?? 0) : undefined;
  const heights = useMemo(() => heightsOf(spectrum, log), [spectrum, log]);
  const stands = Math.min(held ?? nearest(spectrum, spectrum.rank99), spectrum.ranks.length - 1);
  const at = pointed ?? stands;
  const rank = spectrum.ranks[at] ?? 0;
  const x = (each: number): number => (width * each) / full;
  const onKeyDown = (event: KeyboardEvent): void => {
    const last = spectrum.ranks.length - 1;
    const to = {
      ...{ ArrowRight: at + 1, ArrowUp: at + 1, ArrowLeft: at - 1, ArrowDown: at - 1 },
      ...{ PageUp: at + 10, PageDown: at - 10, Home: 0, End: last },
    }[event.key];
    if (event.key === 'Escape') hold(null);
    if (to === undefined) return;
    event.preventDefault();
    point(null);
    hold(Math.max(0, Math.min(last, to)));
  };
  const placeOf = (event: PointerEvent): number => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    return nearest(spectrum, ((event.clientX - box.left - left) / width) * full);
  };
  const onPointerMove = (event: PointerEvent): void => {
    point(placeOf(event));
    if (event.buttons === 1) hold(placeOf(event));
  };
  const thin = thinShare(spectrum, rank);
  const reading = [
    t('Rank {rank} of {full} keeps {share} of the energy', { rank, full, share: share(spectrum.kept[at] ?? 1) }),
    t('singular value {value}', { value: real(spectrum.values[at] ?? 0) }),
    thin < 1
      ? t('two thin matrices take {share} of its parameters', { share: share(thin, 0) })
      : t('two thin matrices would be larger'),
    ...(lost ? [t('output error {share}', { share: share(lost[at] ?? 0, 1) })] : []),
  ].join(' · ');
  const ends = spectrum.values[0] ?? 0;
  return (
    <figure class="spectrum" ref={frame}>
      <div class="row head">
        <h3 class="clip" title={spectrum.id}>
          {matrixTitle(spectrum.id)}
        </h3>
        <span class="mono muted small nowrap">{shape([spectrum.out, spectrum.in])}</span>
        <span class="grow" />
        <Segments
          small
          label={t('Scale of the singular values')}
          value={log ? 'log' : 'linear'}
          choices={[
            { value: 'linear', label: t('Linear') },
            { value: 'log', label: t('Log') },
          ]}
          onChange={value => setLog(value === 'log')}
        />
      </div>
      <div
        class="plot"
        role="slider"
        tabIndex={0}
        aria-label={t('Spectrum of {title}', { title: matrixTitle(spectrum.id) })}
        aria-valuemin={1}
        aria-valuemax={full}
        aria-valuenow={rank}
        aria-valuetext={reading}
        onKeyDown={onKeyDown}
        onPointerMove={onPointerMove}
        onPointerDown={event => hold(placeOf(event))}
        onPointerLeave={() => point(null)}
      >
        <svg width={width + left + right} height={tall + top + bottom} aria-hidden="true">
          <g transform={`translate(${left} ${top})`}>
            <Axes spectrum={spectrum} log={log} width={width} most={ends} />
            <polyline class="values" points={lineOf(spectrum, heights, full, width, tall, false)} />
            <polyline class="kept" points={lineOf(spectrum, spectrum.kept, full, width, tall, true)} />
            {lost && <polyline class="lost" points={lineOf(spectrum, lost, full, width, tall, false)} />}
            <Marks spectrum={spectrum} width={width} />
            {at !== stands && (
              <line class="held" x1={x(spectrum.ranks[stands] ?? 0)} x2={x(spectrum.ranks[stands] ?? 0)} y1={0} y2={tall} />
            )}
            <line class="cursor" x1={x(rank)} x2={x(rank)} y1={0} y2={tall} />
            <circle class="kept" cx={x(rank)} cy={tall * (1 - (spectrum.kept[at] ?? 1))} r={3.5} />
            <circle class="values" cx={x(rank)} cy={tall * (1 - (heights[at] ?? 0))} r={3.5} />
            {lost && <circle class="lost" cx={x(rank)} cy={tall * (1 - (lost[at] ?? 0))} r={3.5} />}
          </g>
        </svg>
      </div>
      <div class="key small">
        <span>
          <i class="line kept" aria-hidden="true" /> {t('Energy kept, left')}
        </span>
        <span>
          <i class="line values" aria-hidden="true" />{' '}
          {log ? t('Singular values, right, log scale') : t('Singular values, right')}
        </span>
        {lost && (
          <span>
            <i class="line lost" aria-hidden="true" /> {t('Output error of the best matrix of this rank on text, left')}
          </span>
        )}
      </div>
      <figcaption>{reading}</figcaption>
      {isInLayer && <OutputsSwitch wanted={wantsOutputs} outputs={outputs} onChange={wantOutputs} />}
      {onFactorize && (
        <Factorize
          spectrum={spectrum}
          spectra={spectra}
          rank={spectrum.ranks[stands] ?? 1}
          onText={lost !== undefined}
          onFactorize={onFactorize}
          tryStep={tryStep}
        />
      )}
    </figure>
  );
}

/** Energy on the left, singular values on the right, ranks below; what lies beyond the break-even rank is shaded. */
function Axes({ spectrum, log, width, most }: { spectrum: Spectrum; log: boolean; width: number; most: number }) {
  const full = fullRank(spectrum);
  const x = (rank: number): number => (width * rank) / full;
  const decades = decadesOf(spectrum);
  const every = Math.ceil(decades / 4);
  const values = log
    ? Array.from({ length: Math.floor(decades / every) + 1 }, (_, step) => ({
        at: 1 - (step * every) / decades,
        text: real(most * 10 ** (-step * every), 2),
      }))
    : [1, 0.5, 0].map(at => ({ at, text: real(most * at, 2) }));
  return (
    <>
      {spectrum.breakEven < full && (
        <rect class="beyond" x={x(spectrum.breakEven)} width={width - x(spectrum.breakEven)} y={0} height={tall} />
      )}
      {[0, 0.25, 0.5, 0.75, 1].map(at => (
        <g key={at}>
          <line class="grid" x1={0} x2={width} y1={tall * (1 - at)} y2={tall * (1 - at)} />
          <text x={-5} y={tall * (1 - at) + 4} text-anchor="end">
            {share(at, 0)}
          </text>
        </g>
      ))}
      {values.map(({ at, text }) => (
        <text key={at} x={width + 5} y={tall * (1 - at) + 4}>
          {text}
        </text>
      ))}
      {rankTicks(full, width).map(rank => (
        <text key={rank} x={x(rank)} y={tall + 15} text-anchor="middle">
          {count(rank)}
        </text>
      ))}
    </>
  );
}

/** Where 90, 95 and 99 % of the energy are reached, and where two thin matrices stop being smaller. */
function Marks({ spectrum, width }: { spectrum: Spectrum; width: number }) {
  const full = fullRank(spectrum);
  const evenText = t('break-even {rank}', { rank: spectrum.breakEven });
  const marks = [
    { rank: spectrum.rank90, kept: 0.9, text: share(0.9, 0) },
    { rank: spectrum.rank95, kept: 0.95, text: share(0.95, 0) },
    { rank: spectrum.rank99, kept: 0.99, text: share(0.99, 0) },
    { rank: spectrum.breakEven, kept: undefined, text: evenText },
  ].sort((a, b) => a.rank - b.rank);
  const placed = marks.map(mark => {
    const half = (mark.kept ? labelWidth : 6.4 * evenText.length) / 2;
    const at = (width * mark.rank) / full;
    return { ...mark, at, half, label: Math.max(half - left, Math.min(width + right - half, at)) };
  });
  const rows = labelRows(
    placed.map(({ label }) => label),
    at => 2 * placed[at]!.half,
  );
  return (
    <>
      {placed.map(({ rank, kept, text, at }) => (
        <g key={`${text} ${rank}`} class={kept ? 'mark' : 'mark even'}>
          <line x1={at} x2={at} y1={-5} y2={kept ? tall * (1 - kept) : tall} />
          {kept && <circle cx={at} cy={tall * (1 - kept)} r={2.5} />}
        </g>
      ))}
      {placed.map(({ rank, text, label }, index) => (
        <text key={`${text} ${rank}`} class="of" x={label} y={-8 - 13 * rows[index]!} text-anchor="middle">
          {text}
        </text>
      ))}
    </>
  );
}
