// biome-ignore-all lint/a11y/useFocusableInteractive: rows take the focus; heads and cells do not (ARIA treegrid pattern)
// biome-ignore-all lint/a11y/useSemanticElements: a virtualised treegrid cannot be a <table>
import { Component } from 'preact';
import { Icon } from '../icons.tsx';
import type { TreeRow } from '../layout/tree-rows.ts';
import type { Column } from './tree-table.tsx';

/** Pixels; --hr-row in style/base.css is the same. */
export const rowHeight = 22;

interface RowProps<Row extends TreeRow> {
  readonly row: Row;
  readonly index: number;
  readonly columns: readonly Column<Row>[];
  readonly selected: boolean;
  readonly hot: boolean;
  readonly tabbable: boolean;
  readonly extraClass: string;
}

/** One row; drawn again only when something it shows has changed. */
export class TreeTableRow<Row extends TreeRow> extends Component<RowProps<Row>> {
  override shouldComponentUpdate(next: RowProps<Row>): boolean {
    const now = this.props;
    return (Object.keys(next) as (keyof RowProps<Row>)[]).some(key => next[key] !== now[key]);
  }

  override render({ row, index, columns, selected, hot, tabbable, extraClass }: RowProps<Row>) {
    return (
      <div
        class={`tr body ${hot ? 'hot' : ''} ${extraClass}`}
        style={{ transform: `translateY(${index * rowHeight}px)` }}
        role="row"
        data-index={index}
        data-id={row.id}
        aria-rowindex={index + 2}
        aria-level={row.level}
        aria-posinset={row.posinset}
        aria-setsize={row.setsize}
        aria-expanded={row.expanded}
        aria-selected={selected}
        tabIndex={tabbable ? 0 : -1}
      >
        {columns.map((column, at) => (
          <span
            key={column.key}
            role="gridcell"
            class={`${at === 0 ? 'nm' : ''} ${column.numeric ? 'num' : ''} ${column.class ?? ''}`}
            title={column.tip?.(row)}
          >
            {at === 0 && <Indent level={row.level} twistie={row.expanded !== undefined} />}
            {column.cell(row)}
          </span>
        ))}
      </div>
    );
  }
}

function Indent({ level, twistie }: { level: number; twistie: boolean }) {
  return (
    <>
      {Array.from({ length: level - 1 }, (_, depth) => (
        <i key={depth} class="guide" aria-hidden="true" />
      ))}
      <span class="tw" aria-hidden="true">
        {twistie && <Icon name="chevron" />}
      </span>
    </>
  );
}
