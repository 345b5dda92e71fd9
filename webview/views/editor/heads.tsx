// biome-ignore-all lint/a11y/useKeyWithMouseEvents: hover only repeats what focus and selection already show
// biome-ignore-all lint/a11y/useSemanticElements: a grid with roving focus, laid out by CSS
// biome-ignore-all lint/a11y/useFocusableInteractive: cells take the focus; rows and heads do not (ARIA grid pattern)
import { useMemo, useRef, useState } from 'preact/hooks';
import type { HeadSize, Summary } from '../../../src/core/report/tree.ts';
import type { HeadMeasure } from '../../../src/protocol/messages.ts';
import { Segments } from '../../controls.tsx';
import { t } from '../../l10n.ts';
import {
  between,
  everyHead,
  type HeadPlace,
  type HeadSelection,
  headsOfLayer,
  joined,
  keyOf,
  pruningOf,
  toggled,
} from '../../layout/head-selection.ts';
import { gridNeighbour, type HeadCell, type HeadsGrid, headsGrid } from '../../layout/heads-grid.ts';
import type { Measure } from '../../layout/model-index.ts';
import { bytesText, count, real, share } from '../../numbers.ts';
import { isCopyKey } from '../copy-key.ts';
import { Progress } from './inside/progress.tsx';
import { type CallOptions, type Readings, useReading } from './inside/reading.ts';
import { PruneHeads, type PruneHeadsProps } from './prune/prune-heads.tsx';
import { ScoreChoice } from './prune/score-choice.tsx';
import type { Scoring } from './prune/use-scores.ts';
import type { HeadColour } from './saved-state.ts';

export interface HeadsProps {
  readonly summary: Summary;
  readonly measure: Measure;
  readonly colour: HeadColour;
  readonly onColour: (colour: HeadColour) => void;
  /** Norms and zeros, read when they are first asked for. */
  readonly readMeasures: (options: CallOptions) => Promise<readonly HeadMeasure[]>;
  readonly readings: Readings;
  /** The heads that are selected, for pruning and for what is said of them. */
  readonly selected: HeadSelection;
  readonly scoring: Scoring;
  readonly prune: Pick<PruneHeadsProps, 'disabled' | 'tryStep' | 'onPrune' | 'onAttention'>;
  /** The layer whose row is marked: the selected row of the table is in it. */
  readonly layer: number | null;
  readonly hotLayer: number | null;
  /** `at` is the head that was touched last; null when a whole layer or nothing was. */
  readonly onSelect: (selected: HeadSelection, at: HeadPlace | null) => void;
  readonly onHover: (layer: number | null) => void;
  readonly onCopy: (text: string) => void;
}

/** Layers by heads, coloured by size, norm, share of zeros or what each is worth. */
export function Heads(props: HeadsProps) {
  const { summary, measure, colour, readMeasures, readings, selected, scoring } = props;
  const isRead = colour === 'norm' || colour === 'zeros';
  const { reading, start, cancel } = useReading({
    key: isRead ? 'head measures' : null,
    read: readMeasures,
    readings,
    automatic: true,
  });
  const measures = reading.state === 'done' ? reading.value : undefined;
  const { scores } = scoring;
  const grid = useMemo(() => {
    const read = new Map(measures?.map(one => [`${one.layer} ${one.head}`, one]));
    const worth = new Map(scores?.layers.map(one => [one.layer, one.scores]));
    const worthOf = ({ layer, head, ...sizes }: HeadSize): number | undefined =>
      colour === 'size' ? sizes[measure] : colour === 'score' ? worth.get(layer)?.[head] : read.get(`${layer} ${head}`)?.[colour];
    return headsGrid(summary.heads, summary.model.layers, worthOf, colour === 'score');
  }, [summary, measure, colour, measures, scores]);
  if (!grid) return null;
  const pruning = pruningOf(grid, selected);
  const [chosen] = pruning.heads.length === 1 ? (pruning.heads as readonly HeadCell[]) : [];
  return (
    <>
      <div class="row">
        <Segments
          small
          label={t('Colour of the heads')}
          value={colour}
          choices={[
            { value: 'size', label: t('Size') },
            { value: 'norm', label: t('Norm') },
            { value: 'zeros', label: t('Zeros') },
            { value: 'score', label: t('Score') },
          ]}
          onChange={value => props.onColour(value as HeadColour)}
        />
      </div>
      {colour === 'score' && <ScoreChoice scoring={scoring} />}
      <Grid {...props} grid={grid} />
      {isRead && reading.state !== 'done' ? (
        <Progress reading={reading} byteLength={undefined} onStart={start} onCancel={cancel} />
      ) : (
        <Legend grid={grid} colour={colour} measure={measure} />
      )}
      {chosen && (
        <p class="small chosen">
          <b>{t('Layer {layer}, head {head}', { layer: chosen.layer, head: chosen.head })}</b>
          {colour !== 'size' && chosen.value !== undefined && <span class="muted"> · {coloured(chosen.value, colour)}</span>}
        </p>
      )}
      <PruneHeads
        {...props.prune}
        pruning={pruning}
        selected={selected}
        total={summary.heads.length}
        layers={grid.rows.filter(row => row.some(cell => cell !== null)).length}
        scores={scores}
        isScored={colour === 'score'}
        onScore={() => props.onColour('score')}
        onSelect={keys => props.onSelect(keys, null)}
        onClear={() => props.onSelect(new Set(), null)}
      />
    </>
  );
}

function Grid({ grid, colour, selected, layer, hotLayer, onSelect, onHover, onCopy }: HeadsProps & { grid: HeadsGrid }) {
  const root = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState<HeadPlace>({ layer: 0, head: 0 });
  const stop = grid.rows[active.layer]?.[active.head] !== undefined ? active : { layer: 0, head: 0 };
  /** Where a rectangle begins: the place selected last without Shift. */
  const anchor = useRef<HeadPlace | null>(null);
  /** While the pointer is down: what is selected beside the rectangle. */
  const dragged = useRef<HeadSelection | null>(null);

  const isHead = ({ layer: row, head }: HeadPlace): boolean => Boolean(grid.rows[row]?.[head]);
  const select = (at: HeadPlace, { extends: extending, adds }: { extends: boolean; adds: boolean }): void => {
    setActive(at);
    if (!isHead(at) && !extending) return;
    if (!extending) anchor.current = at;
    const keys = between(grid, anchor.current ?? at, at);
    onSelect(extending ? (adds ? joined(selected, keys) : new Set(keys)) : adds ? toggled(selected, keys) : new Set(keys), at);
  };
  const selectLayer = (row: number, adds: boolean): void => {
    const keys = headsOfLayer(grid, row);
    onSelect(adds ? toggled(selected, keys) : new Set(keys), null);
  };
  const onPointerDown = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    const adds = event.ctrlKey || event.metaKey;
    const row = (event.target as HTMLElement).closest<HTMLElement>('[data-row]')?.dataset.row;
    const at = cellAt(event);
    if (row !== undefined) selectLayer(Number(row), adds);
    if (!at) return;
    select(at, { extends: event.shiftKey, adds });
    dragged.current = adds ? selected : new Set();
    window.addEventListener(
      'pointerup',
      () => {
        dragged.current = null;
      },
      { once: true },
    );
  };
  const onPointerOver = (event: PointerEvent): void => {
    const at = cellAt(event);
    onHover(at?.layer ?? null);
    if (!at || !dragged.current || !anchor.current) return;
    setActive(at);
    onSelect(joined(dragged.current, between(grid, anchor.current, at)), at);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = cellAt(event);
    if (!at) return;
    const control = event.ctrlKey || event.metaKey;
    if (isCopyKey(event)) onCopy(gridText(grid, colour));
    else if (event.key === ' ' && event.shiftKey) selectLayer(at.layer, control);
    else if (event.key === 'Enter' || event.key === ' ') select(at, { extends: event.shiftKey, adds: control });
    else if (event.key.toLowerCase() === 'a' && control) onSelect(new Set(everyHead(grid)), null);
    else if (event.key === 'Escape' && selected.size > 0) onSelect(new Set(), null);
    else {
      const to = gridNeighbour(grid, at.layer, at.head, event.key, control);
      if (!to) return;
      anchor.current ??= at;
      if (event.shiftKey) select(to, { extends: true, adds: false });
      else anchor.current = null;
      setActive(to);
      root.current?.querySelector<HTMLElement>(`[data-layer="${to.layer}"][data-head="${to.head}"]`)?.focus();
    }
    event.preventDefault();
  };
  return (
    <div
      ref={root}
      class={`hg ${grid.columns > 16 ? 'many' : ''}`}
      role="grid"
      aria-label={t('Heads, layer by head')}
      aria-multiselectable
      style={{ '--n': grid.columns }}
      onPointerDown={onPointerDown}
      onPointerOver={onPointerOver}
      onPointerLeave={() => onHover(null)}
      onClick={event => {
        // Without a pointer: by assistive technology.
        const at = event.detail === 0 ? cellAt(event) : undefined;
        if (at) select(at, { extends: false, adds: false });
      }}
      onKeyDown={onKeyDown}
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
          <span
            role="rowheader"
            class={`rh ${row === layer ? 'on' : ''} ${row === hotLayer ? 'hot' : ''}`}
            data-row={row}
            title={t('Select the heads of layer {n} (Shift+Space)', { n: row })}
          >
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
              aria-selected={cell !== null && selected.has(keyOf(cell))}
              tabIndex={stop.layer === row && stop.head === column ? 0 : -1}
            />
          ))}
        </div>
      ))}
    </div>
  );
}

function cellAt(event: Event): HeadPlace | undefined {
  const cell = (event.target as HTMLElement).closest<HTMLElement>('[data-head]');
  return cell ? { layer: Number(cell.dataset.layer), head: Number(cell.dataset.head) } : undefined;
}

/** All heads as tab-separated text, a line each. */
function gridText({ rows }: HeadsGrid, colour: HeadColour): string {
  const measured = colour === 'size' ? [] : [scaleOf(colour, 'parameters').what];
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
  colour === 'norm'
    ? t('norm {n}', { n: real(value) })
    : colour === 'score'
      ? t('score {n}', { n: real(value) })
      : t('{share} zeros', { share: share(value) });

function Legend({ grid, colour, measure }: { grid: HeadsGrid; colour: HeadColour; measure: Measure }) {
  if (Number.isNaN(grid.smallest)) return <p class="small muted">{t('Not measured')}</p>;
  const { end, what } = scaleOf(colour, measure);
  const scaled = grid.log ? t('{what}, log scale', { what }) : t('{what}, linear scale', { what });
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
      <span class="clip" title={scaled}>
        {scaled}
      </span>
    </div>
  );
}

/** How a measure is written, and what it is. */
function scaleOf(colour: HeadColour, measure: Measure): { end: (value: number) => string; what: string } {
  if (colour === 'norm') return { end: value => real(value), what: t('Frobenius norm') };
  if (colour === 'score') return { end: value => real(value), what: t('what a head is worth') };
  if (colour === 'zeros') return { end: value => share(value), what: t('share of zeros') };
  if (measure === 'parameters') return { end: count, what: t('parameters a head') };
  return { end: bytesText, what: t('bytes a head') };
}
