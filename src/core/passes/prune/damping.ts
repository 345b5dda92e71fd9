import type { Calibration } from '../../calibration/calibration.ts';
import { type Sentence, sentence } from '../../errors.ts';
import type { Edit } from '../pass.ts';

export interface TextOptions {
  readonly sentences: number | null;
  readonly damping: number | null;
}

/** Tokens for each input below which a fit is held back in proportion: few tokens say little about many inputs. With 5 (512 sentences for MiniLM's neurons) holding back three times as strongly was worse. */
const enoughTokens = 4;
/** And how far at most: with 64 sentences three times as strongly was better than once, and than ten times (half of MiniLM's heads, of its neurons). */
const mostHeld = 3;

/** How strongly a refit is held to the weights as they are, and what a person should know where the text is too short to fit. */
export function dampingFor(
  { sentences, damping: asked }: TextOptions,
  usual: number,
  inputs: number,
  { ids }: Calibration<Edit>,
): { readonly damping: number; readonly note: Sentence | undefined } {
  const tokens = ids.slice(0, sentences ?? undefined).reduce((sum, each) => sum + each.length, 0);
  const damping = asked ?? usual * Math.min(mostHeld, Math.max(1, (enoughTokens * inputs) / tokens));
  if (tokens > inputs) return { damping, note: undefined };
  const note = sentence(
    'The text has {tokens} tokens for matrices with {inputs} inputs: the fit has rank {rank} at most, and is held to the weights as they are (damping {damping}). More text repairs better.',
    { tokens, inputs, rank: tokens - 1, damping: damping.toPrecision(2) },
  );
  return { damping, note };
}
