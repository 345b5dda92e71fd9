import { fail } from '../../../errors.ts';
import { calibrationOf } from '../../calibration-of.ts';
import type { PassContext } from '../../pass.ts';
import type { Site } from '../sites.ts';
import { gradients, usualTexts } from './gradient.ts';

/** Gradients on the labelled texts that an option names, or on the calibration text. throws 'usage', 'unsupported' */
export async function gradientsOf(
  sites: readonly Site[],
  { labels, sentences }: { readonly labels: string; readonly sentences: number | null },
  context: PassContext,
): Promise<ReadonlyMap<number, readonly number[]>> {
  if (labels === '') return gradients(await calibrationOf(context, 'by: gradient'), sites, sentences ?? undefined, context);
  if (!context.labelled)
    throw fail(
      'unsupported',
      'Labels cannot be read here: leave {option} out.',
      { option: 'labels' },
      { file: context.model.name },
    );
  const { calibration, labels: given } = await context.labelled(labels, sentences ?? usualTexts);
  return gradients(calibration, sites, calibration.texts, context, given);
}
