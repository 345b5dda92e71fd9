import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { Icon } from '../../icons.tsx';
import { t } from '../../l10n.ts';
import { lineOf, sorted, type TextColumn } from '../../layout/flat-table.ts';
import { nextSorting, type Sorting } from '../../layout/sorting.ts';
import { isCopyKey } from '../copy-key.ts';
import { usePageWidth } from '../page-width.ts';
import { useKept } from './state.ts';

// A flat table as a grid: one tab stop, rows by arrow keys, heads that sort.

export interface DataColumn<Row> extends TextColumn<Row> {
  readonly cell?: (row: Row) => ComponentChildren;
  readonly tip?: (row: Row) => string | undefined;
  readonly class?: string;
  /** Shown from this width of the page on. */
  readonly from?: number;
  /** The title where the page is narrow. */
  readonly short?: string;
}

export interface DataTableProps<Row> {
  /** Of what is kept of it. */
  readonly id: string;
  readonly label: string;
  readonly rows: readonly Row[];
  readonly columns: readonly DataColumn<Row>[];
  readonly rowKey: (row: Row) => string;
  readonly rowClass?: (row: Row) => string;
  readonly selected?: string | undefined;
  /** A click, or Space. */
  readonly onSelect?: (row: Row) => void;
  /** Enter, or a double click: what the row's button does. */
  readonly onOpen?: (row: Row) => void;
  readonly onCopy: (text: string) => void;
  /** No more rows than these are high; the rest scrolls. */
  readonly tall?: boolean;
}

/** Below this the short titles are shown, in pixels. */
const narrow = 560;

export function DataTable<Row>(props: DataTableProps<Row>) {
  const width = usePageWidth();
  const [sorting, setSorting] = useKept<Sorting | null>(`sorted ${props.id}`, null);
  const [active, setActive] = useState<string | undefined>(props.selected);
  const body = useRef<HTMLTableSectionElement>(null);
  const head = useRef<HTMLTableRowElement>(null);
  const columns = props.columns.filter(({ from }) => from === undefined || width >= from);
  const rows = sorted(props.rows, props.columns, sorting);
  const keys = rows.map(props.rowKey);
  const tabbable = Math.max(0, keys.indexOf(active ?? props.selected ?? ''));

  const focusRow = (at: number): void => {
    const element = body.current?.children[Math.max(0, Math.min(rows.length - 1, at))] as HTMLElement | undefined;
    element?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = Number((event.target as HTMLElement).dataset.at ?? -1);
    if (at < 0) return;
    if (isCopyKey(event) && !window.getSelection()?.toString()) {
      event.preventDefault();
      props.onCopy(lineOf(props.columns, rows[at]!));
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const to = {
      ...{ ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 10, PageUp: Math.max(0, at - 10) },
      ...{ Home: 0, End: rows.length - 1 },
    }[event.key];
    const open = event.key === 'Enter' || event.key === ' ';
    if (to === undefined && !open) return;
    event.preventDefault();
    if (to === -1) head.current?.querySelector<HTMLElement>('button')?.focus();
    else if (to !== undefined) focusRow(to);
    else if (event.key === 'Enter') (props.onOpen ?? props.onSelect)?.(rows[at]!);
    else (props.onSelect ?? props.onOpen)?.(rows[at]!);
  };
  const onHeadKeyDown = (event: KeyboardEvent): void => {
    const buttons = [...(head.current?.querySelectorAll<HTMLElement>('button') ?? [])];
    const at = buttons.indexOf(event.target as HTMLElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (to === undefined && event.key !== 'ArrowDown') return;
    event.preventDefault();
    if (to === undefined) focusRow(tabbable);
    else buttons[Math.max(0, Math.min(buttons.length - 1, to))]?.focus();
  };
  return (
    <div class={`wide scroll ${props.tall ? 'tall' : ''}`}>
      {/* biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: rows are reached by the arrow keys */}
      <table class="data" role="grid" aria-label={props.label} aria-rowcount={rows.length + 1}>
        <thead>
          <tr ref={head} onKeyDown={onHeadKeyDown}>
            {columns.map((column, at) => (
              <Head
                key={column.key}
                column={column}
                title={width < narrow ? (column.short ?? column.title) : column.title}
                sorting={sorting}
                onSort={setSorting}
                tabbable={rows.length === 0 && at === 0}
              />
            ))}
          </tr>
        </thead>
        <tbody ref={body} onKeyDown={onKeyDown}>
          {rows.map((row, at) => (
            <tr
              key={keys[at]}
              data-at={at}
              data-key={keys[at]}
              tabIndex={at === tabbable ? 0 : -1}
              aria-selected={props.onSelect ? keys[at] === props.selected : undefined}
              class={`${props.rowClass?.(row) ?? ''} ${props.onSelect ? 'act' : ''}`}
              onFocus={() => setActive(keys[at])}
              onClick={() => props.onSelect?.(row)}
              onDblClick={() => props.onOpen?.(row)}
            >
              {columns.map(column => (
                <td key={column.key} class={`${column.numeric ? 'num' : ''} ${column.class ?? ''}`} title={column.tip?.(row)}>
                  {(column.cell ?? column.text)?.(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Head<Row>({
  column,
  title,
  sorting,
  onSort,
  tabbable,
}: {
  column: DataColumn<Row>;
  title: string;
  sorting: Sorting | null;
  onSort: (sorting: Sorting | null) => void;
  tabbable: boolean;
}) {
  const order = sorting?.key === column.key ? (sorting.descending ? 'descending' : 'ascending') : 'none';
  return (
    <th scope="col" class={`${column.numeric ? 'num' : ''} ${column.class ?? ''}`} aria-sort={order}>
      <button
        type="button"
        tabIndex={tabbable ? 0 : -1}
        title={t('Sort by {column}', { column: column.title })}
        onClick={() => onSort(nextSorting(sorting, column.key, column.numeric === true))}
      >
        {title}
        {order !== 'none' && <Icon name={order === 'descending' ? 'down' : 'up'} />}
      </button>
    </th>
  );
}
