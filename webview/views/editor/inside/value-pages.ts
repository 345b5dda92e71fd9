import type { EditorHostApi, Failure, ValuesPage, Window } from '../../../../src/protocol/messages.ts';
import type { Remote } from '../../../../src/protocol/rpc.ts';
import { holds, pageKey, pagesOf, portions } from '../../../layout/value-grid.ts';
import { failureOf } from './reading.ts';

/** Pages kept; each holds 6,400 values at most. */
const most = 32;

/** The pages of one matrix, fetched as they are wanted. What is no longer wanted is cancelled. */
export class ValuePages {
  readonly #fetch: (window: Window, signal: AbortSignal) => Promise<ValuesPage>;
  readonly #size: { readonly rows: number; readonly columns: number };
  readonly #onChange: () => void;
  readonly #pages = new Map<string, ValuesPage>();
  readonly #running = new Map<string, AbortController>();
  failure: Failure | null = null;

  constructor(
    api: Remote<EditorHostApi>,
    matrix: { readonly name: string; readonly leading: readonly number[]; readonly rows: number; readonly columns: number },
    onChange: () => void,
  ) {
    this.#fetch = (window, signal) => api.values(matrix.name, { leading: matrix.leading, window }, { signal });
    this.#size = matrix;
    this.#onChange = onChange;
  }

  /** The value at a place, if its page is here. */
  at(row: number, column: number): number | string | undefined {
    const page = this.#pages.get(pageKey({ top: row, left: column }));
    return page && holds(page.window, { row, column })
      ? page.values[row - page.window.top]?.[column - page.window.left]
      : undefined;
  }

  /** Fetches what is missing of a window, and cancels what is fetched outside of it. After a failure nothing, until `retry`. */
  want(window: Window): void {
    const pages = new Map(pagesOf(window, this.#size.rows, this.#size.columns).map(page => [pageKey(page), page]));
    for (const [key, controller] of this.#running)
      if (!pages.has(key)) {
        controller.abort();
        this.#running.delete(key);
      }
    if (this.failure) return;
    for (const [key, page] of pages) if (!this.#pages.has(key) && !this.#running.has(key)) void this.#load(key, page);
  }

  /** All values of a window, row by row. */
  async all(window: Window, signal: AbortSignal): Promise<(readonly (number | string)[])[]> {
    const rows: (number | string)[][] = Array.from({ length: window.bottom - window.top }, () => []);
    for (const part of portions(window)) {
      const { values } = await this.#fetch(part, signal);
      for (const [index, row] of values.entries()) rows[part.top - window.top + index]!.push(...row);
    }
    return rows;
  }

  retry(): void {
    this.failure = null;
    this.#onChange();
  }

  stop(): void {
    for (const controller of this.#running.values()) controller.abort();
  }

  async #load(key: string, page: Window): Promise<void> {
    const controller = new AbortController();
    this.#running.set(key, controller);
    try {
      const loaded = await this.#fetch(page, controller.signal);
      this.#pages.set(key, loaded);
      if (this.#pages.size > most) this.#pages.delete(this.#pages.keys().next().value!);
    } catch (error) {
      if (!controller.signal.aborted) this.failure = failureOf(error);
    } finally {
      if (this.#running.get(key) === controller) this.#running.delete(key);
    }
    this.#onChange();
  }
}
