import type { CompressRequest, DryRun } from '../protocol/messages.ts';
import { toFailure } from './failure.ts';
import { outputFor } from './output.ts';
import type { Services } from './services.ts';

/** A recipe tried out: exact sizes, or why it cannot be done. Nothing is written. */
export async function tryOut(
  { engine }: Services,
  request: Omit<CompressRequest, 'out' | 'dryRun'> & { readonly out?: string },
  signal: AbortSignal,
): Promise<DryRun> {
  const { path, recipe } = request;
  try {
    const asked = { out: outputFor(path, recipe), ...request, dryRun: true };
    const { steps, ...report } = await engine.api.compress(asked, { signal });
    return { report, failure: null, steps };
  } catch (error) {
    return { report: null, failure: toFailure(error), steps: [] };
  }
}
