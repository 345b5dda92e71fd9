import type { CompressView } from '../../../src/protocol/messages.ts';
import { getState, setState } from '../../bridge.ts';
import { type Draft, draftOf, recipeOf } from './draft.ts';

export interface Edited {
  readonly draft: Draft;
  readonly out: string;
  /** What the host proposed last: while `out` is that, it follows the recipe. */
  readonly proposed: string;
  readonly format: 'onnx' | 'safetensors';
  /** Path of the text for methods that run the model, or ''. */
  readonly calibration: string;
}

/** What survives hiding and reloading the page. */
interface Saved extends Edited {
  readonly version: 1;
  readonly path: string;
  /** The recipe the host gave at first, as JSON. */
  readonly given: string;
}

/** What was edited before, if the host gives the recipe it was made from, or the recipe it became; otherwise what the host gives. */
export function restored(view: CompressView): Edited & { readonly given: string } {
  const saved = getState<Saved>();
  const recipe = JSON.stringify(view.recipe);
  const fresh = {
    draft: draftOf(view.recipe),
    out: view.out,
    proposed: view.out,
    format: view.outFormat,
    calibration: view.calibration,
    given: recipe,
  };
  if (saved?.version !== 1 || saved.path !== view.path || !saved.draft || saved.out === undefined || !saved.format) return fresh;
  const { draft, out, proposed = view.out, format, calibration = view.calibration, given = recipe } = saved;
  return given === recipe || JSON.stringify(recipeOf(draft, view.passes)) === recipe
    ? { draft, out, proposed, format, calibration, given }
    : fresh;
}

export const keep = (given: string, { path }: CompressView, edited: Edited): void =>
  setState<Saved>({ ...edited, version: 1, path, given });
