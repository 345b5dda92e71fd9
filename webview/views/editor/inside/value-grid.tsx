// biome-ignore-all lint/a11y/useFocusableInteractive: the grid takes the focus and names its active cell (ARIA grid pattern)
// biome-ignore-all lint/a11y/useSemanticElements: a virtualised grid cannot be a <table>
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { EditorHostApi, Window } from '../../../../src/protocol/messages.ts';
import type { Remote } from '../../../../src/protocol/rpc.ts';
import { t } from '../../../l10n.ts';
import { visibleName } from '../../../layout/names.ts';
import { between, cell, firstInView, holds, moved, type Place, scrollLength, scrollOf } from '../../../layout/value-grid.ts';
import { count, real } from '../../../numbers.ts';
import { isCopyKey } from '../../copy-key.ts';
import { announce } from '../live.ts';
import { failureOf } from './reading.ts';
import { failureText } from './subject.ts';
import { ValuePages } from './value-pages.ts';

export interface ValueGridProps {
  readonly api: Remote<EditorHostApi>;
  readonly name: string;
  readonly leading: readonly number[];
  readonly rows: number;
  readonly columns: number;
  readonly onCopy: (text: string) => void;
}

/** More than this is a file's work: export writes all of them. */
const mostCopied = 100_000;
/** Pixels of the heads of columns. */
const headHeight = 20;

/** Values in rows and columns: only those in view are in the page and fetched. */
export function ValueGrid({ api, name, leading, rows, columns, onCopy }: ValueGridProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const [, setDrawn] = useState(0);
  const redraw = (): void => setDrawn(now => now + 1);
  const pages = useMemo(() => new ValuePages(api, { name, leading, rows, columns }, redraw), []);
  const [anchor, setAnchor] = useState<Place>({ row: 0, column: 0 });
  const [active, setActive] = useState<Place>({ row: 0, column: 0 });
  const [note, setNote] = useState<string | null>(null);
  const selection = between(anchor, active);
  const several = anchor.row !== active.row || anchor.column !== active.column;

  const headWidth = 14 + 7 * Math.max(2, String(rows - 1).length);
  const element = scroller.current;
  const [width, height] = element ? [element.clientWidth - headWidth, element.clientHeight - headHeight] : [300, 180];
  const top = firstInView(element?.scrollTop ?? 0, height, rows, cell.height);
  const left = firstInView(element?.scrollLeft ?? 0, width, columns, cell.width);
  const shown: Window = {
    top: Math.floor(top),
    bottom: Math.min(rows, Math.ceil(top + height / cell.height) + 1),
    left: Math.floor(left),
    right: Math.min(columns, Math.ceil(left + width / cell.width) + 1),
  };

  useLayoutEffect(() => {
    redraw();
    const observer = new ResizeObserver(redraw);
    if (scroller.current) observer.observe(scroller.current);
    return () => {
      observer.disconnect();
      pages.stop();
    };
  }, []);
  useEffect(() => {
    const timer = setTimeout(() => pages.want(shown), 40);
    return () => clearTimeout(timer);
  });

  const reveal = ({ row, column }: Place): void => {
    if (!element) return;
    const fit = (first: number, at: number, count: number): number => (at < first ? at : Math.max(first, at + 1 - count));
    element.scrollTop = scrollOf(fit(top, row, height / cell.height), height, rows, cell.height);
    element.scrollLeft = scrollOf(fit(left, column, width / cell.width), width, columns, cell.width);
  };
  const go = (to: Place, extend: boolean): void => {
    setActive(to);
    if (!extend) setAnchor(to);
    setNote(null);
    reveal(to);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const control = event.ctrlKey || event.metaKey;
    if (isCopyKey(event)) {
      event.preventDefault();
      void copy();
      return;
    }
    if (control && event.key.toLowerCase() === 'a') {
      event.preventDefault();
      setAnchor({ row: 0, column: 0 });
      setActive({ row: rows - 1, column: columns - 1 });
      return;
    }
    const to = moved(active, event.key, control, rows, columns, Math.max(1, Math.floor(height / cell.height) - 1));
    if (!to) return;
    event.preventDefault();
    go(to, event.shiftKey);
  };
  const placeOf = (event: Event): Place | undefined => {
    const at = (event.target as HTMLElement).closest<HTMLElement>('[data-row]');
    return at ? { row: Number(at.dataset.row), column: Number(at.dataset.column) } : undefined;
  };
  const copy = async (): Promise<void> => {
    const values = (selection.bottom - selection.top) * (selection.right - selection.left);
    if (values > mostCopied) {
      const text = t('{n} values are too many to copy: at most {most}. Export writes all of them.', {
        n: values,
        most: mostCopied,
      });
      announce(text);
      return setNote(text);
    }
    try {
      const all = await pages.all(selection, new AbortController().signal);
      onCopy(`${all.map(row => row.map(text).join('\t')).join('\n')}${all.length > 1 ? '\n' : ''}`);
      setNote(null);
    } catch (error) {
      setNote(failureText(failureOf(error)));
    }
  };

  const rowList = Array.from({ length: shown.bottom - shown.top }, (_, index) => shown.top + index);
  const columnList = Array.from({ length: shown.right - shown.left }, (_, index) => shown.left + index);
  const x = (column: number): string => `${headWidth + (column - left) * cell.width}px`;
  const y = (row: number): string => `${headHeight + (row - top) * cell.height}px`;
  const value = pages.at(active.row, active.column);
  return (
    <>
      <div
        ref={scroller}
        class="vg scroll"
        role="grid"
        tabIndex={0}
        aria-label={t('Values, {rows} rows by {columns} columns', { rows, columns })}
        aria-rowcount={rows + 1}
        aria-colcount={columns + 1}
        aria-multiselectable="true"
        aria-activedescendant={holds(shown, active) ? `v-${active.row}-${active.column}` : undefined}
        style={{ '--head': `${headWidth}px`, height: `${Math.min(12, rows) * cell.height + headHeight + 14}px` }}
        onScroll={redraw}
        onKeyDown={onKeyDown}
        onPointerDown={event => {
          const at = event.button === 0 ? placeOf(event) : undefined;
          if (at) go(at, event.shiftKey);
        }}
        onPointerMove={event => {
          const at = event.buttons === 1 ? placeOf(event) : undefined;
          if (at) setActive(at);
        }}
      >
        <div
          class="extent"
          role="presentation"
          style={{
            width: `${headWidth + scrollLength(columns, cell.width)}px`,
            height: `${headHeight + scrollLength(rows, cell.height)}px`,
          }}
        >
          <div class="window" role="presentation" style={{ width: `${headWidth + width}px`, height: `${headHeight + height}px` }}>
            <div role="row" aria-rowindex={1} class="heads">
              <span role="columnheader" aria-colindex={1} class="corner">
                <span class="sr">{t('Row')}</span>
              </span>
              {columnList.map(column => (
                <span key={column} role="columnheader" aria-colindex={column + 2} style={{ left: x(column) }}>
                  {column}
                </span>
              ))}
            </div>
            {rowList.map(row => (
              <div key={row} role="row" aria-rowindex={row + 2}>
                <span role="rowheader" aria-colindex={1} style={{ top: y(row) }}>
                  {row}
                </span>
                {columnList.map(column => (
                  <Cell
                    key={column}
                    row={row}
                    column={column}
                    value={pages.at(row, column)}
                    x={x(column)}
                    y={y(row)}
                    selected={holds(selection, { row, column })}
                    active={active.row === row && active.column === column}
                  />
                ))}
              </div>
            ))}
          </div>
        </div>
      </div>
      {pages.failure ? (
        <p class="row small" role="alert">
          <span class="error">{visibleName(failureText(pages.failure), 600)}</span>
          <button type="button" class="btn sm" onClick={() => pages.retry()}>
            {t('Try again')}
          </button>
        </p>
      ) : (
        <p class="told small">
          {note ??
            (several
              ? t('{rows} × {columns} selected', {
                  rows: count(selection.bottom - selection.top),
                  columns: count(selection.right - selection.left),
                })
              : `[${active.row}, ${active.column}] ${value === undefined ? '' : text(value)}`)}
        </p>
      )}
    </>
  );
}

interface CellProps {
  readonly row: number;
  readonly column: number;
  readonly value: number | string | undefined;
  readonly x: string;
  readonly y: string;
  readonly selected: boolean;
  readonly active: boolean;
}
function Cell({ row, column, value, x, y, selected, active }: CellProps) {
  return (
    <span
      id={`v-${row}-${column}`}
      role="gridcell"
      data-row={row}
      data-column={column}
      aria-colindex={column + 2}
      aria-selected={selected}
      class={`${active ? 'active' : ''} ${typeof value === 'string' ? 'odd' : ''}`}
      title={value === undefined ? undefined : text(value)}
      style={{ left: x, top: y }}
    >
      {value === undefined ? '…' : typeof value === 'number' ? real(value, 4) : visibleName(value, 24)}
    </span>
  );
}

/** All digits, as programs read them. */
const text = (value: number | string): string => (typeof value === 'number' ? String(value) : visibleName(value, 100));
