import type { TextVectors } from '../../calibration/calibration.ts';
import { throwIfCancelled } from '../../errors.ts';
import { calibrationOf } from '../calibration-of.ts';
import type { Edit, PassContext } from '../pass.ts';
import { cosineAt } from '../prune/choose/cosine-at.ts';

/** Texts on which a part's share of the drift is measured: it takes a run of the model for each part. */
export const MEASURED_TEXTS = 64;

/**
 * What each part costs when it alone is changed: 1 - cosine of the model's sentence vectors (the mean of the last hidden states) to
 * those of the model as it is, as a mean over texts. Forward runs only, one for each part; a part without edits costs 0 and no run.
 * parts    keys of any kind: an organ's id, or an id with a width
 * planFor  the edits of one part alone
 * throws   'usage' where there is no text
 * source   Q-BERT's sensitivity, with runs in place of the Hessian's eigenvalues
 */
export async function measureParts(
  context: PassContext,
  parts: readonly string[],
  planFor: (part: string) => Promise<readonly Edit[]>,
  texts = MEASURED_TEXTS,
): Promise<ReadonlyMap<string, number>> {
  const calibration = await calibrationOf(context, 'sensitivity');
  const original = await calibration.vectors([], texts);
  const costs = new Map<string, number>();
  for (const [done, part] of parts.entries()) {
    throwIfCancelled(context.signal);
    context.progress?.(done / parts.length, part);
    const edits = await planFor(part);
    costs.set(part, edits.length === 0 ? 0 : driftOf(original, await calibration.vectors(edits, texts)));
  }
  return costs;
}

/** 1 - cosine of the pooled vectors, as a mean over texts; vectors that are not finite are as far as can be. */
export function driftOf({ pooled: a, width }: TextVectors, { pooled: b }: TextVectors): number {
  let sum = 0;
  for (let at = 0; at < a.length; at += width) {
    const cosine = cosineAt(a, b, at, width);
    sum += Number.isNaN(cosine) ? 2 : 1 - cosine;
  }
  return (sum * width) / Math.max(1, a.length);
}
