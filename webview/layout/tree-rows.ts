/** A line of a tree table: where it stands among the rows around it, as the treegrid role wants it. */
export interface TreeRow {
  readonly id: string;
  /** 1 is the top. */
  readonly level: number;
  /** 1-based, among its siblings shown. */
  readonly posinset: number;
  readonly setsize: number;
  /** undefined: it has no children. */
  readonly expanded?: boolean | undefined;
}

/** The row whose child `rows[index]` is, or -1 at the top. */
export function parentIndex(rows: readonly TreeRow[], index: number): number {
  const level = rows[index]?.level ?? 1;
  for (let above = index - 1; above >= 0; above--) if (rows[above]!.level < level) return above;
  return -1;
}

/** The next row after `from`, wrapping around, whose text begins with `typed` (lower case); -1 when there is none. */
export function typeAhead(count: number, text: (index: number) => string, from: number, typed: string): number {
  for (let step = 0; step < count; step++) {
    const index = (from + step) % count;
    if (text(index).toLowerCase().startsWith(typed)) return index;
  }
  return -1;
}
