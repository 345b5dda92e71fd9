import { getState, setState } from '../../bridge.ts';
import type { HeadKey } from '../../layout/head-selection.ts';
import type { Measure } from '../../layout/model-index.ts';
import type { Sorting } from '../../layout/sorting.ts';

export type Tab = 'tensors' | 'heads' | 'details';

/** What the grid of heads is coloured by. */
export type HeadColour = 'size' | 'norm' | 'zeros' | 'score';

/** What may be pruned by hand. */
export type PrunedUnit = 'heads' | 'neurons' | 'layers';

/** A row of the table, and the head of its layer when one is chosen. */
export interface Selection {
  readonly id: string | null;
  readonly head: { readonly layer: number; readonly head: number } | null;
}

/** What survives hiding, reloading and restarting. */
export interface SavedState {
  readonly version: 1;
  readonly measure: Measure;
  readonly sorting: Sorting | null;
  /** null: as the page opens a model. */
  readonly open: readonly string[] | null;
  readonly filter: string;
  readonly selection: Selection;
  /** Heads selected in the grid: "layer head". */
  readonly heads: readonly HeadKey[];
  readonly scrollTop: number;
  readonly tab: Tab;
  /** Pixels. */
  readonly sideWidth: number;
  readonly bottomHeight: number;
  readonly headColour: HeadColour;
  readonly unit: PrunedUnit;
  /** By pass: what its units are scored by. */
  readonly scoredBy: Readonly<Record<string, string>>;
  /** Of neurons: all of the model as one, or the same share of every layer. */
  readonly cut: 'even' | 'lowest';
  /** Of histograms. */
  readonly log: boolean;
  /** Whether the grid of a tensor's values is open. */
  readonly values: boolean;
}

export const side = { least: 280, usual: 348, most: 480 } as const;
export const bottom = { least: 140, usual: 256, most: 480 } as const;

const fresh: SavedState = {
  version: 1,
  measure: 'parameters',
  sorting: null,
  open: null,
  filter: '',
  selection: { id: null, head: null },
  heads: [],
  scrollTop: 0,
  tab: 'tensors',
  sideWidth: side.usual,
  bottomHeight: bottom.usual,
  headColour: 'size',
  unit: 'heads',
  scoredBy: {},
  cut: 'even',
  log: false,
  values: false,
};

/** What was last kept, written already or not. */
let newest: SavedState | undefined;

export function savedState(): SavedState {
  const saved = newest ?? getState<SavedState>();
  return saved?.version === 1 ? { ...fresh, ...saved } : fresh;
}

let pending: ReturnType<typeof setTimeout> | undefined;

/** Keeps `state`, at most ten times a second, and at once when the page is being put away. */
export function saveState(state: SavedState): void {
  newest = state;
  pending ??= setTimeout(flush, 100);
}
function flush(): void {
  clearTimeout(pending);
  pending = undefined;
  if (newest) setState(newest);
}
window.addEventListener('pagehide', flush);
document.addEventListener('visibilitychange', flush);
