// biome-ignore-all lint/a11y/useKeyWithMouseEvents: hover only repeats what focus and selection already show
// biome-ignore-all lint/a11y/useFocusableInteractive: rows take the focus; heads and cells do not (ARIA treegrid pattern)
// biome-ignore-all lint/a11y/useSemanticElements: a virtualised treegrid cannot be a <table>
import { type ComponentChildren, createRef, type RefObject } from 'preact';
import { useEffect, useImperativeHandle, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon } from '../icons.tsx';
import { t } from '../l10n.ts';
import { nextSorting, type Sorting } from '../layout/sorting.ts';
import type { TreeRow } from '../layout/tree-rows.ts';
import { scrollTopShowing, visibleRows } from '../layout/visible-rows.ts';
import { isCopyKey } from './copy-key.ts';
import { keyAction } from './tree-table-keys.ts';
import { rowHeight, TreeTableRow } from './tree-table-row.tsx';

// A virtualised treegrid. Only the rows near the view are in the page, and the focused one always: an element belongs to one row for life.

export type { Sorting } from '../layout/sorting.ts';
export type { TreeRow } from '../layout/tree-rows.ts';

export interface Column<Row extends TreeRow> {
  readonly key: string;
  readonly title: string;
  /** The column's name for assistive technology, where the title is a sign. */
  readonly label?: string;
  /** A grid track: "60px", "minmax(200px, 1fr)". */
  readonly track: string;
  /** Right-aligned; sorts from the largest first. */
  readonly numeric?: boolean;
  /** Sorts from the largest first, though not right-aligned. */
  readonly largestFirst?: boolean;
  readonly sortable?: boolean;
  /** For the cells. */
  readonly class?: string;
  readonly cell: (row: Row) => ComponentChildren;
  readonly tip?: (row: Row) => string | undefined;
  /** In the row at the foot. */
  readonly total?: ComponentChildren;
}

export interface TreeTableHandle {
  /** Scrolls as little as needed to show the row. */
  reveal(id: string): void;
  /** Focuses a row, or the one focused last. */
  focus(id?: string): void;
}

export interface TreeTableProps<Row extends TreeRow> {
  readonly label: string;
  /** Flat, in order; a new array when anything in it changed, the same objects where nothing did. */
  readonly rows: readonly Row[];
  /** The first column holds the tree. The same array while nothing changes. */
  readonly columns: readonly Column<Row>[];
  readonly selected?: string | null;
  /** Pointed at somewhere else on the page. */
  readonly hot?: string | null;
  readonly sorting: Sorting | null;
  readonly onSort: (sorting: Sorting | null) => void;
  readonly onSelect: (row: Row) => void;
  readonly onExpand: (ids: readonly string[], expanded: boolean) => void;
  readonly onHover?: (id: string | null) => void;
  /** What typing letters looks for. */
  readonly text: (row: Row) => string;
  /** Extra classes of a row. */
  readonly rowClass?: (row: Row) => string;
  /** In place of rows when there are none. */
  readonly empty?: ComponentChildren;
  readonly scrollTop?: number;
  readonly onScroll?: (scrollTop: number) => void;
  /** Ctrl+C (Cmd+C) on a row. */
  readonly onCopy?: (row: Row) => void;
  readonly handle?: RefObject<TreeTableHandle | null>;
  readonly class?: string;
}

const headHeight = 24;
const footHeight = 25;
const spare = 12;

export function TreeTable<Row extends TreeRow>(props: TreeTableProps<Row>) {
  const { rows, columns } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const [active, setActive] = useState<string | null>(props.selected ?? null);
  const [view, setView] = useState({ top: props.scrollTop ?? 0, height: 600 });
  const typed = useRef({ text: '', at: 0 });
  const hasTotal = columns.some(column => column.total !== undefined);
  const bodyHeight = (element: HTMLElement): number => element.clientHeight - headHeight - (hasTotal ? footHeight : 0);

  const indexOf = (id: string | null): number => (id === null ? -1 : latest.current.rows.findIndex(row => row.id === id));

  const measure = (): void => {
    const element = scroller.current;
    if (!element) return;
    const next = { top: element.scrollTop, height: bodyHeight(element) };
    setView(now => (sameWindow(now, next) ? now : next));
  };
  const reveal = (index: number): void => {
    const element = scroller.current;
    if (!element || index < 0) return;
    element.scrollTop = scrollTopShowing(index, element.scrollTop, bodyHeight(element), rowHeight);
    measure();
  };
  const wantsFocus = useRef(false);
  const focusRow = (index: number): void => {
    const row = latest.current.rows[index];
    if (!row) return;
    reveal(index);
    wantsFocus.current = true;
    setActive(row.id);
    focusActive(scroller.current, index);
  };

  useLayoutEffect(() => {
    if (scroller.current && props.scrollTop) scroller.current.scrollTop = props.scrollTop;
    measure();
    const observer = new ResizeObserver(measure);
    if (scroller.current) observer.observe(scroller.current);
    return () => observer.disconnect();
  }, []);
  useEffect(measure, [rows.length]);
  useEffect(() => {
    if (props.selected) setActive(props.selected);
  }, [props.selected]);
  // The row to focus may only now be in the page.
  useLayoutEffect(() => {
    if (!wantsFocus.current) return;
    if (focusActive(scroller.current, indexOf(active))) wantsFocus.current = false;
  });
  useImperativeHandle(
    props.handle ?? createRef<TreeTableHandle>(),
    () => ({
      reveal: id => reveal(indexOf(id)),
      focus: id => focusRow(Math.max(0, indexOf(id ?? active))),
    }),
    [active],
  );

  const onKeyDown = (event: KeyboardEvent): void => {
    const target = event.target as HTMLElement;
    if (target.dataset.index === undefined) {
      headKey(event, scroller.current, focusRow);
      return;
    }
    const index = Number(target.dataset.index);
    // Text that is marked is copied as ever.
    if (props.onCopy && isCopyKey(event) && !window.getSelection()?.toString()) {
      event.preventDefault();
      props.onCopy(rows[index]!);
      return;
    }
    const page = Math.max(1, Math.floor(bodyHeight(scroller.current!) / rowHeight) - 1);
    const action = keyAction(event, rows, index, page, row => props.text(row as Row), typed.current);
    if (!action) return;
    event.preventDefault();
    if (action.kind === 'focus') focusRow(action.index);
    if (action.kind === 'select') props.onSelect(rows[index]!);
    if (action.kind === 'expand') props.onExpand(action.ids, action.expanded);
    if (action.kind === 'head') scroller.current?.querySelector<HTMLElement>('.tr.head button')?.focus();
  };
  const rowAt = (event: Event): Row | undefined => {
    const element = (event.target as HTMLElement).closest<HTMLElement>('[data-index]');
    return element ? rows[Number(element.dataset.index)] : undefined;
  };
  const toggle = (row: Row): void => {
    if (row.expanded !== undefined) props.onExpand([row.id], !row.expanded);
  };
  const onClick = (event: MouseEvent): void => {
    const row = rowAt(event);
    if (!row) return;
    setActive(row.id);
    if ((event.target as HTMLElement).closest('.tw')) toggle(row);
    else props.onSelect(row);
  };

  const { first, end } = visibleRows(view.top, view.height, rowHeight, rows.length, spare);
  const activeIndex = indexOf(active);
  const tabbable = Math.max(activeIndex, 0);
  const shown: number[] = [];
  if (tabbable < first && tabbable < rows.length) shown.push(tabbable);
  for (let index = first; index < end; index++) shown.push(index);
  if (tabbable >= end && tabbable < rows.length) shown.push(tabbable);

  const tracks = columns.map(column => column.track).join(' ');
  return (
    <div
      ref={scroller}
      class={`tg scroll ${props.class ?? ''}`}
      style={{ '--cols': tracks }}
      role="treegrid"
      aria-label={props.label}
      aria-rowcount={rows.length + 1 + (hasTotal ? 1 : 0)}
      onScroll={() => {
        measure();
        props.onScroll?.(scroller.current?.scrollTop ?? 0);
      }}
      onKeyDown={onKeyDown}
      onMouseOver={event => props.onHover?.(rowAt(event)?.id ?? null)}
      onMouseLeave={() => props.onHover?.(null)}
    >
      <Head columns={columns} sorting={props.sorting} onSort={props.onSort} tabbable={rows.length === 0} />
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the treegrid around it takes the keys */}
      <div
        class="rows"
        role="rowgroup"
        style={{ height: `${rows.length * rowHeight}px` }}
        onClick={onClick}
        onDblClick={event => {
          const row = rowAt(event);
          if (row && !(event.target as HTMLElement).closest('.tw')) toggle(row);
        }}
        onFocusIn={event => {
          const row = rowAt(event);
          if (row) setActive(row.id);
        }}
      >
        {shown.map(index => (
          <TreeTableRow
            key={rows[index]!.id}
            row={rows[index]!}
            index={index}
            columns={columns}
            selected={rows[index]!.id === props.selected}
            hot={rows[index]!.id === props.hot}
            tabbable={index === tabbable}
            extraClass={props.rowClass?.(rows[index]!) ?? ''}
          />
        ))}
      </div>
      {rows.length === 0 && props.empty}
      {hasTotal && <Foot columns={columns} index={rows.length + 2} />}
    </div>
  );
}

function Head<Row extends TreeRow>({
  columns,
  sorting,
  onSort,
  tabbable,
}: {
  columns: readonly Column<Row>[];
  sorting: Sorting | null;
  onSort: (sorting: Sorting | null) => void;
  tabbable: boolean;
}) {
  return (
    <div role="rowgroup" class="stick-top">
      <div class="tr head" role="row" aria-rowindex={1}>
        {columns.map((column, index) => {
          const sorted = sorting?.key === column.key ? (sorting.descending ? 'descending' : 'ascending') : 'none';
          const name = column.label ?? column.title;
          return (
            <span
              key={column.key}
              role="columnheader"
              class={`${column.numeric ? 'num' : ''} ${column.class ?? ''}`}
              aria-sort={column.sortable === false ? undefined : sorted}
            >
              {column.sortable === false ? (
                column.title
              ) : (
                <button
                  type="button"
                  tabIndex={tabbable && index === 0 ? 0 : -1}
                  aria-label={column.label}
                  title={t('Sort by {column}', { column: name })}
                  onClick={() =>
                    onSort(nextSorting(sorting, column.key, column.numeric === true || column.largestFirst === true))
                  }
                >
                  <span class="clip">{column.title}</span>
                  {sorted !== 'none' && <Icon name={sorted === 'descending' ? 'down' : 'up'} />}
                </button>
              )}
            </span>
          );
        })}
      </div>
    </div>
  );
}

function Foot<Row extends TreeRow>({ columns, index }: { columns: readonly Column<Row>[]; index: number }) {
  return (
    <div role="rowgroup" class="stick-bottom">
      <div class="tr foot" role="row" aria-rowindex={index} aria-level={1}>
        {columns.map(column => (
          <span key={column.key} role="gridcell" class={`${column.numeric ? 'num' : ''} ${column.class ?? ''}`}>
            {column.total}
          </span>
        ))}
      </div>
    </div>
  );
}

/** Keys in the column heads: left and right along them, down to the rows. */
function headKey(event: KeyboardEvent, scroller: HTMLElement | null, focusRow: (index: number) => void): void {
  const buttons = [...(scroller?.querySelectorAll<HTMLElement>('.tr.head button') ?? [])];
  const at = buttons.indexOf(event.target as HTMLElement);
  if (at < 0) return;
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
  if (to === undefined && event.key !== 'ArrowDown') return;
  event.preventDefault();
  if (to === undefined) focusRow(Math.floor(Math.max(0, (scroller?.scrollTop ?? 0) / rowHeight)));
  else buttons[Math.min(buttons.length - 1, Math.max(0, to))]?.focus();
}

function focusActive(scroller: HTMLElement | null, index: number): boolean {
  const element = scroller?.querySelector<HTMLElement>(`[data-index="${index}"]`);
  element?.focus({ preventScroll: true });
  return element !== null && element !== undefined;
}

/** Whether two scroll positions show the same rows: the table is drawn again only when they do not. */
function sameWindow(a: { top: number; height: number }, b: { top: number; height: number }): boolean {
  const chunk = (spare / 2) * rowHeight;
  return a.height === b.height && Math.floor(a.top / chunk) === Math.floor(b.top / chunk);
}
