import { fail, sentence } from '../../errors.ts';

/** What is thrown for a weight that no scale fits. */
export const notFinite = (id: string): Error =>
  fail(
    'unsupported',
    '{id} holds NaN or infinity and cannot be quantized.',
    { id },
    { hint: sentence('Leave it out with “exclude”.') },
  );
