// biome-ignore-all lint/a11y/useKeyWithMouseEvents: hover only repeats what focus and selection already show
// biome-ignore-all lint/a11y/useSemanticElements: a grid with roving focus, laid out by CSS
// biome-ignore-all lint/a11y/useFocusableInteractive: cells take the focus; rows and heads do not (ARIA grid pattern)
import { useMemo, useRef, useState } from 'preact/hooks';
import type { Summary } from '../../../src/core/report/tree.ts';
import type { HeadMeasure } from '../../../src/protocol/messages.ts';
import { Segments } from '../../controls.tsx';
import { t } from '../../l10n.ts';
import { gridNeighbour, type HeadCell, type HeadsGrid, headsGrid } from '../../layout/heads-grid.ts';
import type { Measure } from '../../layout/model-index.ts';
import { bytesText, count, real, share } from '../../numbers.ts';
import { isCopyKey } from '../copy-key.ts';
import { Progress } from './inside/progress.tsx';
import { type CallOptions, type Readings, useReading } from './inside/reading.ts';
import type { HeadColour, Selection } from './saved-state.ts';

export interface HeadsProps {
  readonly summary: Summary;
  readonly measure: Measure;
  readonly colour: HeadColour;
  readonly onColour: (colour: HeadColour) => void;
  /** Norms and zeros, read when they are first asked for. */
  readonly readMeasures: (options: CallOptions) => Promise<readonly HeadMeasure[]>;
  readonly readings: Readings;
  readonly head: Selection['head'];
  /** The layer whose row is marked: the selected row of the table is in it. */
  readonly layer: number | null;
  readonly hotLayer: number | null;
  readonly onSelect: (layer: number, head: number) => void;
  readonly onHover: (layer: number | null) => void;
  readonly onCopy: (text: string) => void;
}

/** Layers by heads, coloured by size, norm or share of zeros. */
export function Heads(props: HeadsProps) {
  const { summary, measure, colour, readMeasures, readings } = props;
  const { reading, start, cancel } = useReading({
    key: colour === 'size' ? null : 'head measures',
    read: readMeasures,
    readings,
    automatic: true,
  });
  const measures = reading.state === 'done' ? reading.value : undefined;
  const grid = useMemo(() => {
    const read = new Map(measures?.map(one => [`${one.layer} ${one.head}`, one]));
    return headsGrid(summary.heads, summary.model.layers, ({ layer, head, ...sizes }) =>
      colour === 'size' ? sizes[measure] : read.get(`${layer} ${head}`)?.[colour],
    );
  }, [summary, measure, colour, measures]);
  if (!grid) return null;
  const chosen = props.head && grid.rows[props.head.layer]?.[props.head.head];
  return (
    <section class="pane p-heads" aria-labelledby="heads-title">
      <div class="row">
        <h2 id="heads-title">{t('Heads')}</h2>
        <span class="small muted clip">
          {t('{n} in {layers} layers', { n: summary.heads.length, layers: summary.model.layers })}
        </span>
        <span class="grow" />
        <Segments
          small
          label={t('Colour of the heads')}
          value={colour}
          choices={[
            { value: 'size', label: t('Size') },
            { value: 'norm', label: t('Norm') },
            { value: 'zeros', label: t('Zeros') },
          ]}
          onChange={value => props.onColour(value as HeadColour)}
        />
      </div>
      <Grid {...props} grid={grid} />
      {colour !== 'size' && reading.state !== 'done' ? (
        <Progress reading={reading} byteLength={undefined} onStart={start} onCancel={cancel} />
      ) : (
        <Legend grid={grid} colour={colour} measure={measure} />
      )}
      {chosen && (
        <p class="small chosen">
          <b>{t('Layer {layer}, head {head}', { layer: chosen.layer, head: chosen.head })}</b>{' '}
          <span class="muted">
            · {t('{n} parameters', { n: chosen.parameters })} · {bytesText(chosen.byteLength)}
            {colour !== 'size' && chosen.value !== undefined && ` · ${coloured(chosen.value, colour)}`}
          </span>
        </p>
      )}
    </section>
  );
}

function Grid({ grid, colour, head, layer, hotLayer, onSelect, onHover, onCopy }: HeadsProps & { grid: HeadsGrid }) {
  const root = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(head ?? { layer: 0, head: 0 });
  const stop = grid.rows[active.layer]?.[active.head] !== undefined ? active : { layer: 0, head: 0 };

  const cellAt = (event: Event): { layer: number; head: number } | undefined => {
    const cell = (event.target as HTMLElement).closest<HTMLElement>('[data-head]');
    return cell ? { layer: Number(cell.dataset.layer), head: Number(cell.dataset.head) } : undefined;
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = cellAt(event);
    if (!at) return;
    if (isCopyKey(event)) onCopy(gridText(grid, colour));
    else if (event.key === 'Enter' || event.key === ' ') select(at);
    else {
      const to = gridNeighbour(grid, at.layer, at.head, event.key, event.ctrlKey || event.metaKey);
      if (!to) return;
      setActive(to);
      root.current?.querySelector<HTMLElement>(`[data-layer="${to.layer}"][data-head="${to.head}"]`)?.focus();
    }
    event.preventDefault();
  };
  const select = (at: { layer: number; head: number }): void => {
    setActive(at);
    if (grid.rows[at.layer]?.[at.head]) onSelect(at.layer, at.head);
  };
  return (
    <div
      ref={root}
      class={`hg ${grid.columns > 16 ? 'many' : ''}`}
      role="grid"
      aria-label={t('Heads, layer by head')}
      style={{ '--n': grid.columns }}
      onClick={event => {
        const at = cellAt(event);
        if (at) select(at);
      }}
      onKeyDown={onKeyDown}
      onMouseOver={event => onHover(cellAt(event)?.layer ?? null)}
      onMouseLeave={() => onHover(null)}
    >
      <div role="row">
        <span role="columnheader" class="ch">
          <span class="sr">{t('Layer')}</span>
        </span>
        {Array.from({ length: grid.columns }, (_, column) => (
          <span key={column} role="columnheader" class="ch">
            {column}
          </span>
        ))}
      </div>
      {grid.rows.map((cells, row) => (
        <div key={row} role="row">
          <span role="rowheader" class={`rh ${row === layer ? 'on' : ''} ${row === hotLayer ? 'hot' : ''}`}>
            {t('Layer {n}', { n: row })}
          </span>
          {cells.map((cell, column) => (
            <span
              key={column}
              role="gridcell"
              data-layer={row}
              data-head={column}
              class={`cell ${cell && cell.value !== undefined ? '' : 'absent'} ${row === layer ? 'in' : ''}`}
              style={cell ? { '--k': cell.value === undefined ? 'transparent' : tone(cell.level) } : undefined}
              aria-label={cell ? cellName(cell, colour) : t('Layer {layer} has no head {head}', { layer: row, head: column })}
              title={cell ? cellName(cell, colour) : t('Layer {layer} has no head {head}', { layer: row, head: column })}
              aria-selected={head?.layer === row && head.head === column}
              tabIndex={stop.layer === row && stop.head === column ? 0 : -1}
            />
          ))}
        </div>
      ))}
    </div>
  );
}

/** All heads as tab-separated text, a line each. */
function gridText({ rows }: HeadsGrid, colour: HeadColour): string {
  const measured = colour === 'size' ? [] : [colour === 'norm' ? t('Frobenius norm') : t('share of zeros')];
  const lines = rows.flat().flatMap(cell => {
    if (!cell) return [];
    const { layer, head, parameters, byteLength, value } = cell;
    return [[layer, head, parameters, byteLength, ...(measured.length ? [value ?? ''] : [])]];
  });
  const heads = [t('Layer'), t('Head'), t('Parameters'), t('Bytes'), ...measured];
  return `${[heads, ...lines].map(line => line.join('\t')).join('\n')}\n`;
}

/** The ramp of the legend at `level`, 0 to 1. */
const tone = (level: number): string => `color-mix(in oklab, var(--hr-cool) ${(8 + level * 92).toFixed(1)}%, var(--hr-bg))`;

const cellName = (cell: HeadCell, colour: HeadColour): string => {
  const sized = t('Layer {layer}, head {head}, {n} parameters', { layer: cell.layer, head: cell.head, n: cell.parameters });
  return colour === 'size' || cell.value === undefined ? sized : `${sized}, ${coloured(cell.value, colour)}`;
};

/** "norm 16.2", "0.40 % zeros" */
const coloured = (value: number, colour: HeadColour): string =>
  colour === 'norm' ? t('norm {n}', { n: real(value) }) : t('{share} zeros', { share: share(value) });

function Legend({ grid, colour, measure }: { grid: HeadsGrid; colour: HeadColour; measure: Measure }) {
  if (Number.isNaN(grid.smallest)) return <p class="small muted">{t('Not measured')}</p>;
  const { end, what } = scaleOf(colour, measure);
  if (grid.alike)
    return (
      <div class="scale">
        <span class="swatch" style={{ background: tone(grid.rows.flat().find(cell => cell)?.level ?? 0) }} aria-hidden="true" />
        <span>{end(grid.smallest)}</span>
        <span class="clip">{what}</span>
        <span class="grow" />
        <span class="clip">{t('all alike')}</span>
      </div>
    );
  return (
    <div class="scale">
      <span>{end(grid.smallest)}</span>
      <span class="ramp" aria-hidden="true" />
      <span>{end(grid.largest)}</span>
      <span class="grow" />
      <span class="clip" title={t('{what}, linear scale', { what })}>
        {t('{what}, linear scale', { what })}
      </span>
    </div>
  );
}

/** How a measure is written, and what it is. */
function scaleOf(colour: HeadColour, measure: Measure): { end: (value: number) => string; what: string } {
  if (colour === 'norm') return { end: value => real(value), what: t('Frobenius norm') };
  if (colour === 'zeros') return { end: value => share(value), what: t('share of zeros') };
  if (measure === 'parameters') return { end: count, what: t('parameters a head') };
  return { end: bytesText, what: t('bytes a head') };
}
