import { HeadroomError, sentence } from '../core/errors.ts';
import type { Failure } from '../protocol/messages.ts';
import { RemoteError } from '../protocol/rpc.ts';

/** Anything thrown on this side, or by the engine, as the data a page can show. */
export function toFailure(error: unknown): Failure {
  if (error instanceof RemoteError) return error.failure;
  if (error instanceof HeadroomError) {
    const { code, message, sentence, file, offset, hint } = error;
    return { code, message, sentence, ...(file && { file }), ...(offset !== undefined && { offset }), ...(hint && { hint }) };
  }
  const cause = error instanceof Error ? error.message : String(error);
  return { code: 'io', message: `This did not work: ${cause}`, sentence: sentence('This did not work: {cause}', { cause }) };
}
