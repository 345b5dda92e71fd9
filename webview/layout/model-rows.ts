import { type Entry, isTensor, type Measure, type ModelIndex, searchable } from './model-index.ts';
import type { Sorting } from './sorting.ts';
import type { TreeRow } from './tree-rows.ts';

/** A row of the editor's table. */
export interface ModelRow extends TreeRow {
  readonly entry: Entry;
}

export interface RowOptions {
  readonly open: ReadonlySet<string>;
  /** Closed by hand while a filter shows everything open. */
  readonly closed: ReadonlySet<string>;
  readonly sorting: Sorting | null;
  readonly filter: string;
  readonly measure: Measure;
  readonly title: (entry: Entry) => string;
  readonly compare: (a: string, b: string) => number;
}

export interface ModelRows {
  readonly rows: readonly ModelRow[];
  /** Tensors that match the filter, opened or not. */
  readonly matches: number;
}

/**
 * The rows to show, flat. A filter keeps what has all of its words, and the ancestors of that; siblings stand in the order of the model or sorted.
 * `kept` holds the rows of the time before: a row that did not change is the same object.
 */
export function modelRows(index: ModelIndex, options: RowOptions, kept: Map<string, ModelRow>): ModelRows {
  const words = searchable(options.filter).split(/\s+/).filter(Boolean);
  const hits = words.length ? matching(index.root, words) : undefined;
  const order = options.sorting && comparison(options.sorting, options);
  const rows: ModelRow[] = [];

  function add(entries: readonly Entry[], level: number): void {
    const shown = hits ? entries.filter(entry => hits.shown.has(entry)) : entries;
    const sorted = order ? shown.toSorted(order) : shown;
    sorted.forEach((entry, position) => {
      const id = entry.node.id;
      const inner = hits ? entry.children.some(child => hits.shown.has(child)) : entry.children.length > 0;
      const expanded = inner ? (hits ? !options.closed.has(id) : options.open.has(id)) : undefined;
      rows.push(keep(kept, { id, entry, level, posinset: position + 1, setsize: sorted.length, expanded }));
      if (expanded) add(entry.children, level + 1);
    });
  }
  add(index.root.children, 1);
  return { rows, matches: hits ? hits.tensors : index.tensorCount };
}

/** The entries that match or hold one that does, and how many tensors match. */
function matching(root: Entry, words: readonly string[]): { shown: Set<Entry>; tensors: number } {
  const shown = new Set<Entry>();
  let tensors = 0;
  function visit(entry: Entry): boolean {
    let any = words.every(word => entry.words.includes(word));
    if (any && isTensor(entry.node)) tensors++;
    for (const child of entry.children) if (visit(child)) any = true;
    if (any) shown.add(entry);
    return any;
  }
  visit(root);
  return { shown, tensors };
}

function comparison({ key, descending }: Sorting, { title, compare, measure }: RowOptions): (a: Entry, b: Entry) => number {
  const sign = descending ? -1 : 1;
  const number = (value: (entry: Entry) => number) => (a: Entry, b: Entry) => sign * (value(a) - value(b));
  const text = (value: (entry: Entry) => string) => (a: Entry, b: Entry) => sign * compare(value(a), value(b));
  switch (key) {
    case 'name':
      return text(title);
    case 'parameters':
      return number(entry => entry.node.parameters);
    case 'bytes':
      return number(entry => entry.node.byteLength);
    case 'shape':
      return number(entry => entry.node.shape?.reduce((product, size) => product * size, 1) ?? -1);
    case 'type':
      return text(entry => entry.node.dtype ?? '');
    default:
      return number(entry => entry.node[measure]);
  }
}

function keep(kept: Map<string, ModelRow>, row: ModelRow): ModelRow {
  const old = kept.get(row.id);
  const same =
    old?.entry === row.entry &&
    old.level === row.level &&
    old.posinset === row.posinset &&
    old.setsize === row.setsize &&
    old.expanded === row.expanded;
  if (same) return old;
  kept.set(row.id, row);
  return row;
}
