import type { Change, Comparison } from '../../../src/core/report/comparison.ts';
import { getState, setState } from '../../bridge.ts';
import type { Sort } from '../../layout/diff-order.ts';

/** What survives hiding and reloading the page. */
export interface DiffState {
  readonly open: readonly string[];
  /** Changes shown; empty: all. */
  readonly changes: readonly Change[];
  readonly filter: string;
  readonly sort: Sort | null;
  readonly selected: string | null;
  readonly scrollTop: number;
}

interface Saved extends DiffState {
  readonly version: 1;
  /** Of which two models. */
  readonly names: string;
}

const namesOf = ({ names }: Comparison): string => `${names.before}\n${names.after}`;

/** The state kept for these two models, or the model's parts opened and nothing else. */
export function restored(comparison: Comparison): DiffState {
  const saved = getState<Saved>();
  const fresh: DiffState = {
    open: (comparison.tree.children ?? []).filter(({ kind }) => kind === 'embeddings' || kind === 'encoder').map(({ id }) => id),
    changes: [],
    filter: '',
    sort: null,
    selected: null,
    scrollTop: 0,
  };
  if (saved?.version !== 1 || saved.names !== namesOf(comparison)) return fresh;
  const { open, changes, filter, sort, selected, scrollTop } = { ...fresh, ...saved };
  return { open, changes, filter, sort, selected, scrollTop };
}

export const keep = (comparison: Comparison, state: DiffState): void =>
  setState<Saved>({ ...state, version: 1, names: namesOf(comparison) });
