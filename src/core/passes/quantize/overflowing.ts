import type { Anatomy } from '../../anatomy/anatomy.ts';
import { linearsIn } from '../../anatomy/anatomy.ts';
import type { Tap } from '../../calibration/calibration.ts';
import { type Sentence, sentence } from '../../errors.ts';
import { kernels } from '../../kernels/kernels.ts';
import type { PassContext } from '../pass.ts';
import { LARGEST_HALF } from './as-half.ts';

/** Linears whose inputs or outputs leave the range of fp16 on the calibration text. None where there is no text, or in a dry run. */
export async function overflowing(
  { layers }: Anatomy,
  { calibration, dryRun, signal, progress }: PassContext,
): Promise<{ readonly id: string; readonly reason: Sentence }[]> {
  if (!calibration || dryRun || layers.length === 0) return [];
  const walk = await (await calibration()).walk();
  const found = new Map<string, number>();
  for (let half = walk.at; half; half = walk.at) {
    signal?.throwIfAborted();
    progress?.(half.layer / layers.length, `encoder.layer.${half.layer}`);
    const layer = layers[half.layer]!;
    const own = new Set(half.part === 'attention' ? [layer.query, layer.key, layer.value, layer.output] : [layer.up, layer.down]);
    const ids = linearsIn(layer)
      .filter(linear => [...own].some(it => (it.within ?? it) === linear))
      .map(({ id }) => id);
    const taps = ids.flatMap((id): Tap[] => [`${id}:in`, `${id}:out`]);
    await walk.observe('original', taps, [], batch => {
      for (const tap of taps) {
        const range = new Float32Array(2);
        kernels.minMax(batch.get(tap), range);
        const most = Math.max(-range[0]!, range[1]!);
        const id = tap.slice(0, tap.lastIndexOf(':'));
        if (most > LARGEST_HALF) found.set(id, Math.max(most, found.get(id) ?? 0));
      }
    });
    await walk.advance([]);
  }
  return [...found].map(([id, most]) => ({
    id,
    reason: sentence('It reaches {most} on the text, beyond 65504, the largest that fp16 has: it stays in 32 bits.', {
      most: Math.round(most),
    }),
  }));
}
