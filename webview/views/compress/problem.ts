import type { Failure } from '../../../src/protocol/messages.ts';

/** Where a failure is told beside the summary: at an option of a step (counted from 0), at the calibration text, or nowhere else. */
export type ProblemPlace =
  | { readonly at: 'option'; readonly step: number; readonly option: string }
  | { readonly at: 'calibration' }
  | undefined;

export function placeOf({ code, sentence, file }: Failure, calibration: string): ProblemPlace {
  const { number, option, method } = sentence.args ?? {};
  if (code === 'bad-recipe' && typeof number === 'number' && typeof option === 'string')
    return { at: 'option', step: number - 1, option };
  if (code === 'usage' && method !== undefined) return { at: 'calibration' };
  const name = calibration.trim().split(/[\\/]/).at(-1);
  return name !== '' && file === name ? { at: 'calibration' } : undefined;
}
