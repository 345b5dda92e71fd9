import type { CompressView } from '../../../src/protocol/messages.ts';
import { getState, setState } from '../../bridge.ts';
import { type Draft, draftOf } from './draft.ts';

export interface Edited {
  readonly draft: Draft;
  readonly out: string;
  readonly format: 'onnx' | 'safetensors';
}

/** What survives hiding and reloading the page. */
interface Saved extends Edited {
  readonly version: 1;
  readonly path: string;
  /** The recipe the host gave; another one from it replaces what was edited. */
  readonly given: string;
}

/** What was edited before, if it was of this model and this recipe; otherwise what the host gives. */
export function restored(view: CompressView): Edited {
  const saved = getState<Saved>();
  const same = saved?.version === 1 && saved.path === view.path && saved.given === JSON.stringify(view.recipe);
  if (same && saved.draft && saved.out !== undefined && saved.format)
    return { draft: saved.draft, out: saved.out, format: saved.format };
  return { draft: draftOf(view.recipe), out: view.out, format: view.outFormat };
}

export const keep = (view: CompressView, edited: Edited): void =>
  setState<Saved>({ ...edited, version: 1, path: view.path, given: JSON.stringify(view.recipe) });
