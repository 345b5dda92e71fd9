import type { Change, ComparisonNode } from '../../src/core/report/comparison.ts';
import { changes as allChanges, type Digest, isTensor } from './diff-digest.ts';
import { ordered, type Sort } from './diff-order.ts';

// From the tree to the rows on the screen.

export interface DiffRow {
  /** Of the node. */
  readonly id: string;
  readonly node: ComparisonNode;
  /** 1 for the root's children. */
  readonly level: number;
  /** 1-based, among the siblings that are shown. */
  readonly posinset: number;
  readonly setsize: number;
  /** Absent on a row that cannot open. */
  readonly expanded?: boolean;
}

export interface Query {
  /** What is typed: every word has to occur in a row's name, id, type, shape or in a name above it. */
  readonly filter: string;
  /** Changes shown; empty: all. */
  readonly changes: ReadonlySet<Change>;
}

export interface Listing {
  readonly rows: readonly DiffRow[];
  /** Tensors that match, shown or behind a closed row. */
  readonly matched: number;
  /** Rows the filter opened, so that what it found is on the screen. */
  readonly opened: ReadonlySet<string>;
}

interface ListOptions {
  readonly digest: Digest;
  readonly open: ReadonlySet<string>;
  /** Rows closed by hand although the filter would open them. */
  readonly closed: ReadonlySet<string>;
  readonly query: Query;
  readonly sort: Sort | null;
  readonly title: (node: ComparisonNode) => string;
}

export function listRows(root: ComparisonNode, options: ListOptions): Listing {
  const { digest, open, closed, query, sort, title } = options;
  const matches = match(root, query, digest, title);
  const rows: DiffRow[] = [];
  const list = (parent: ComparisonNode, level: number): void => {
    const shown = (parent.children ?? []).filter(child => (matches.tensors.get(child.id) ?? 0) > 0);
    for (const [index, node] of ordered(shown, sort, digest, title).entries()) {
      const place = { id: node.id, node, level, posinset: index + 1, setsize: shown.length };
      const expanded = !closed.has(node.id) && (open.has(node.id) || matches.opened.has(node.id));
      rows.push(node.children ? { ...place, expanded } : place);
      if (node.children && expanded) list(node, level + 1);
    }
  };
  list(root, 1);
  return { rows, matched: matches.matched, opened: matches.opened };
}

interface Matches {
  /** Rows that match here or below. */
  readonly tensors: ReadonlyMap<string, number>;
  readonly matched: number;
  readonly opened: ReadonlySet<string>;
}

function match(
  root: ComparisonNode,
  { filter, changes }: Query,
  digest: Digest,
  title: (node: ComparisonNode) => string,
): Matches {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const tensors = new Map<string, number>();
  const opened = new Set<string>();
  let matched = 0;
  /** Rows below and here that match; `found` is whether a row above has every word already. */
  const visit = (node: ComparisonNode, above: string, found: boolean): { count: number; first: boolean } => {
    const text = found ? '' : `${above}\n${textOf(node, digest, title)}`.toLowerCase();
    const here = found || words.every(word => text.includes(word));
    let [count, first] = [0, false];
    for (const child of node.children ?? []) {
      const below = visit(child, text, here);
      count += below.count;
      first ||= below.first;
    }
    if (!node.children && here && (changes.size === 0 || changes.has(node.change))) {
      count = 1;
      if (isTensor(node)) matched++;
    }
    if (first) opened.add(node.id);
    tensors.set(node.id, count);
    return { count, first: first || (here && !found && count > 0) };
  };
  const start = words.length === 0;
  for (const child of root.children ?? []) visit(child, '', start);
  return { tensors, matched, opened };
}

/** What the filter reads of a row. */
function textOf(node: ComparisonNode, digest: Digest, title: (node: ComparisonNode) => string): string {
  const entry = digest.get(node.id);
  const kinds = [entry?.before, entry?.after].flatMap(kind => [kind?.dtype ?? '', kind?.shape?.join('×') ?? '']);
  return [title(node), node.id, ...kinds].join(' ');
}

/** Everything that can open, or the ids on the way to one row. */
export function openable(root: ComparisonNode): readonly string[] {
  const ids: string[] = [];
  const visit = (node: ComparisonNode): void => {
    for (const child of node.children ?? [])
      if (child.children) {
        ids.push(child.id);
        visit(child);
      }
  };
  visit(root);
  return ids;
}

export function ancestors(id: string, digest: Digest): readonly string[] {
  const ids: string[] = [];
  for (let parent = digest.get(id)?.parent; parent !== undefined; parent = digest.get(parent)?.parent) ids.push(parent);
  return ids;
}

/** The matrix with the largest error of all: the id of its deepest row; undefined where no error was measured. */
export function worstNode(root: ComparisonNode, digest: Digest): string | undefined {
  const error = digest.get(root.id)?.error;
  if (error === undefined) return undefined;
  let node = root;
  for (
    let next: ComparisonNode | undefined = root;
    next;
    next = node.children?.find(child => digest.get(child.id)?.error === error)
  )
    node = next;
  return node.id;
}

/** Tensors by change, of the whole model: filtering never alters them. */
export function totalTensors(root: ComparisonNode, digest: Digest): number {
  const counts = digest.get(root.id)?.tensors;
  return counts ? allChanges.reduce((sum, change) => sum + counts[change], 0) : 0;
}
