import type { Pooling } from '../task.ts';

/** A column by its name in the header line, or by its place from 0 in a file without one; from the end where it is below 0. */
export type Column = string | number;

export interface Columns {
  readonly text?: Column;
  readonly pair?: Column;
  readonly label?: Column;
  readonly score?: Column;
  readonly question?: Column;
  readonly context?: Column;
  readonly answers?: Column;
  readonly token?: Column;
  readonly tag?: Column;
}

/** What a JSON file says about a task, beside where its texts are. */
export interface Description {
  readonly columns?: Columns;
  readonly metrics?: readonly string[];
  readonly pooling?: Pooling;
  readonly max_length?: number;
}
