import { HeadroomError, sentence } from '../errors.ts';
import type { Failure } from './types.ts';

/** Anything thrown, as data. What is not a HeadroomError is a defect or the system's: code 'io', with its own words. */
export function toFailure(error: unknown): Failure {
  if (error instanceof HeadroomError) {
    const { code, message, sentence, file, offset, hint } = error;
    return { code, message, sentence, ...(file && { file }), ...(offset !== undefined && { offset }), ...(hint && { hint }) };
  }
  const cause = error instanceof Error ? error.message : String(error);
  const what = sentence('This did not work: {cause}', { cause });
  return { code: 'io', message: `This did not work: ${cause}`, sentence: what };
}
