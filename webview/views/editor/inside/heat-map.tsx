// biome-ignore-all lint/a11y/noNoninteractiveTabindex: a widget with keys of its own (role application)
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { HeatMap, Window } from '../../../../src/protocol/messages.ts';
import { Button } from '../../../controls.tsx';
import { Icon } from '../../../icons.tsx';
import { t } from '../../../l10n.ts';
import {
  cellAt,
  headBands,
  heightOf,
  pan,
  type Spot,
  sameWindow,
  shareOf,
  showing,
  step,
  whole,
  widthOf,
  zoom,
} from '../../../layout/heat-window.ts';
import { real } from '../../../numbers.ts';
import { useWidth } from '../../use-width.ts';
import { HeatCanvas } from './heat-canvas.tsx';
import { HeatLegend, windowText } from './heat-legend.tsx';

export interface HeatMapProps {
  readonly title: string;
  /** The newest there is: while another window is read, it is drawn where it belongs. */
  readonly map: HeatMap;
  readonly window: Window;
  readonly onWindow: (window: Window) => void;
}

/** CSS pixels. */
const tall = 200;
const gutter = 18;
/** A wheel that turns while the pane scrolls goes on scrolling for so long, in milliseconds. */
const scrolling = 300;

/** A matrix as colours: pointed at, it tells its values; wheel, keys and dragging go into it. */
export function HeatMapView({ title, map, window, onWindow }: HeatMapProps) {
  const frame = useRef<HTMLDivElement>(null);
  const surface = useRef<HTMLDivElement>(null);
  const paneWidth = useWidth(frame);
  const [pointed, setPointed] = useState<{ x: number; y: number } | null>(null);
  /** Where the arrow keys are. */
  const [cursor, setCursor] = useState<Spot | null>(null);
  const bands = useMemo(() => headBands(map, window), [map, window]);
  const axis = map.heads?.axis;
  const width = Math.max(40, paneWidth - (bands.length && axis === 'rows' ? gutter : 0));
  const height = map.matrix.rows < 12 ? Math.max(28, map.matrix.rows * 16) : Math.min(tall, width);
  const drag = useRef<{ x: number; y: number; window: Window } | null>(null);

  const latest = useRef({ window, matrix: map.matrix, onWindow });
  latest.current = { window, matrix: map.matrix, onWindow };
  const zoomBy = (nearer: boolean, x?: number, y?: number): boolean => {
    const { window: now, matrix } = latest.current;
    const next = zoom(now, matrix, nearer, x, y);
    if (!sameWindow(next, now)) latest.current.onWindow(next);
    return !sameWindow(next, now);
  };
  /** Arrow keys move from cell to cell, with Shift a quarter of what is seen. */
  const move = ({ shiftKey }: KeyboardEvent, down: number, right: number): void => {
    if (shiftKey) {
      const by = (size: number): number => Math.max(1, size / 4);
      onWindow(pan(window, map.matrix, down * by(heightOf(window)), right * by(widthOf(window))));
      return;
    }
    const middle = { row: window.top + heightOf(window) / 2, column: window.left + widthOf(window) / 2 };
    const next =
      cursor && shareOf(window, cursor) ? step(window, map.matrix, cursor, down, right) : step(window, map.matrix, middle, 0, 0);
    setPointed(null);
    setCursor(next);
    const shown = showing(window, map.matrix, next);
    if (!sameWindow(shown, window)) onWindow(shown);
  };
  useWheel(surface, zoomBy);

  const placeOf = (event: PointerEvent | MouseEvent): { x: number; y: number } => {
    const box = surface.current!.getBoundingClientRect();
    return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
  };
  const onPointerMove = (event: PointerEvent): void => {
    const at = placeOf(event);
    setPointed(at);
    const from = drag.current;
    if (!from) return;
    const down = (from.y - at.y) * heightOf(from.window);
    onWindow(pan(from.window, map.matrix, down, (from.x - at.x) * widthOf(from.window)));
  };
  const all = sameWindow(window, whole(map.matrix));
  const at = cursor ? shareOf(window, cursor) : undefined;
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act: Record<string, () => unknown> = {
      '+': () => zoomBy(true, at?.x, at?.y),
      '=': () => zoomBy(true, at?.x, at?.y),
      '-': () => zoomBy(false, at?.x, at?.y),
      '0': () => onWindow(whole(map.matrix)),
      Enter: () => zoomBy(true, at?.x, at?.y),
      ...(!all && { Escape: () => zoomBy(false, at?.x, at?.y) }),
      ArrowUp: () => move(event, -1, 0),
      ArrowDown: () => move(event, 1, 0),
      ArrowLeft: () => move(event, 0, -1),
      ArrowRight: () => move(event, 0, 1),
    };
    const action = act[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  };
  const current = sameWindow(map.window, window);
  const read = pointed ?? (cursor && at) ?? null;
  const told = read && current ? cellText(map, read) : windowText(map, window);
  return (
    <figure class="heat" ref={frame}>
      <div class="row head">
        <h3>{t('Heat map')}</h3>
        <span class="grow" />
        <Button kind="icon" label={t('Zoom out')} title={t('Zoom out')} disabled={all} onClick={() => zoomBy(false)}>
          <Icon name="minus" />
        </Button>
        <Button kind="icon" label={t('Zoom in')} title={t('Zoom in')} onClick={() => zoomBy(true)}>
          <Icon name="plus" />
        </Button>
        <Button
          kind="icon"
          label={t('Whole matrix')}
          title={t('Whole matrix')}
          disabled={all}
          onClick={() => onWindow(whole(map.matrix))}
        >
          <Icon name="whole" />
        </Button>
      </div>
      {axis === 'columns' && <HeadLabels bands={bands} axis="columns" length={width} />}
      <div class="across">
        {axis === 'rows' && <HeadLabels bands={bands} axis="rows" length={height} />}
        <div
          ref={surface}
          class={`surface ${all ? '' : 'near'}`}
          role="application"
          tabIndex={0}
          aria-roledescription={t('Heat map')}
          aria-label={sentenceOf(title, map)}
          aria-keyshortcuts="+ - 0 Enter Escape ArrowUp ArrowDown ArrowLeft ArrowRight"
          style={{ width: `${width}px`, height: `${height}px` }}
          onKeyDown={onKeyDown}
          onDblClick={event => {
            const { x, y } = placeOf(event);
            zoomBy(true, x, y);
          }}
          onPointerDown={event => {
            event.currentTarget.setPointerCapture(event.pointerId);
            drag.current = { ...placeOf(event), window };
          }}
          onPointerMove={onPointerMove}
          onPointerUp={() => {
            drag.current = null;
          }}
          onPointerCancel={() => {
            drag.current = null;
          }}
          onPointerLeave={() => setPointed(null)}
        >
          <HeatCanvas map={map} window={window} bands={bands} axis={axis} width={width} height={height} />
          {at && current && <Cursor map={map} at={at} />}
        </div>
      </div>
      <p class="told small" aria-live={cursor && !pointed ? 'polite' : 'off'}>
        {told}
      </p>
      <HeatLegend map={map} />
      {map.transposed && <p class="small muted">{t('Rows are outputs, columns inputs; the file stores it the other way.')}</p>}
    </figure>
  );
}

/** The cell under the arrow keys, framed. */
function Cursor({ map, at: { x, y } }: { map: HeatMap; at: { x: number; y: number } }) {
  const [row, column] = [
    Math.min(map.rows - 1, Math.floor(y * map.rows)),
    Math.min(map.columns - 1, Math.floor(x * map.columns)),
  ];
  const share = (cell: number, cells: number): string => `${(100 * cell) / cells}%`;
  return (
    <i
      class="cursor"
      aria-hidden="true"
      style={{
        top: share(row, map.rows),
        left: share(column, map.columns),
        height: share(1, map.rows),
        width: share(1, map.columns),
      }}
    />
  );
}

/** Numbers of heads along their axis, as many as there is room for. */
function HeadLabels({ bands, axis, length }: { bands: ReturnType<typeof headBands>; axis: 'rows' | 'columns'; length: number }) {
  const least = Math.min(...bands.map(({ from, to }) => (to - from) * length));
  const every = Math.max(1, Math.ceil((axis === 'rows' ? 12 : 16) / Math.max(1, least)));
  return (
    <div class={`heads-of ${axis}`} aria-hidden="true" style={axis === 'columns' ? { width: `${length}px` } : {}}>
      {bands
        .filter(({ head }) => head % every === 0)
        .map(({ head, from, to }) => {
          const at = `${((from + to) / 2) * 100}%`;
          return (
            <span key={head} title={t('Head {n}', { n: head })} style={axis === 'rows' ? { top: at } : { left: at }}>
              {head}
            </span>
          );
        })}
    </div>
  );
}

/** "row 12, column 40, head 3: −0.0312" */
function cellText(map: HeatMap, { x, y }: { x: number; y: number }): string {
  const { window, value } = cellAt(map, x, y);
  const head = headOf(map, window);
  const place = [
    heightOf(window) === 1
      ? t('row {n}', { n: window.top })
      : t('rows {from} to {to}', { from: window.top, to: window.bottom - 1 }),
    widthOf(window) === 1
      ? t('column {n}', { n: window.left })
      : t('columns {from} to {to}', { from: window.left, to: window.right - 1 }),
    ...(head === undefined ? [] : [t('head {n}', { n: head })]),
  ].join(', ');
  return `${place}: ${value === null ? t('not finite') : real(value, 4)}`;
}

function headOf({ heads }: HeatMap, window: Window): number | undefined {
  if (!heads) return undefined;
  const at = heads.axis === 'rows' ? window.top : window.left;
  const next = heads.boundaries.findIndex(boundary => boundary > at);
  return (next < 0 ? heads.boundaries.length : next) - 1;
}

function sentenceOf(title: string, map: HeatMap): string {
  const { rows, columns } = map.matrix;
  const args = { title, rows, columns, from: real(map.from), to: real(map.to) };
  const text = map.exact
    ? t('{title}, {rows} rows by {columns} columns: values from {from} to {to}.', args)
    : t('{title}, {rows} rows by {columns} columns: root mean square of blocks from {from} to {to}.', args);
  return `${text} ${t('Arrow keys go from cell to cell, Enter zooms in, Escape zooms out, 0 shows all.')}`;
}

/** Zooms by the wheel, unless the page around is being scrolled or there is nothing further away. */
function useWheel(
  surface: { readonly current: HTMLElement | null },
  zoomBy: (nearer: boolean, x: number, y: number) => boolean,
): void {
  const act = useRef(zoomBy);
  act.current = zoomBy;
  useEffect(() => {
    const element = surface.current;
    if (!element) return;
    let [scrolled, turned, last] = [0, 0, 0];
    const onScroll = (): void => {
      scrolled = performance.now();
    };
    const onWheel = (event: WheelEvent): void => {
      const now = performance.now();
      if (now - scrolled < scrolling) return;
      if (now - last > scrolling) turned = 0;
      last = now;
      turned += event.deltaY * (event.deltaMode === 0 ? 1 : 30);
      const box = element.getBoundingClientRect();
      const far = Math.abs(turned) >= 50;
      const zoomed =
        far && act.current(turned < 0, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
      if (far) turned = 0;
      if (zoomed || !far) event.preventDefault();
    };
    document.addEventListener('scroll', onScroll, true);
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => {
      document.removeEventListener('scroll', onScroll, true);
      element.removeEventListener('wheel', onWheel);
    };
  }, []);
}
