/** What a table is sorted by; null is the order of the model. */
export interface Sorting {
  readonly key: string;
  readonly descending: boolean;
}

/** A click on a column head: sorts (numbers from the largest, text from A), again reverses, a third time gives the order of the model back. */
export function nextSorting(now: Sorting | null, key: string, numeric: boolean): Sorting | null {
  if (now?.key !== key) return { key, descending: numeric };
  return now.descending === numeric ? { key, descending: !numeric } : null;
}
