import { type Anatomy, type Layer, type Linear, storedOf } from '../../anatomy/anatomy.ts';
import type { Calibration, Moments, Tap } from '../../calibration/calibration.ts';
import { throwIfCancelled } from '../../errors.ts';
import type { Edit } from '../pass.ts';

/** The stored matrices of a half, in the order in which data meets them. */
function matricesOf({ query, key, value, output, up, gate, down }: Layer, part: 'attention' | 'feed-forward'): Linear[] {
  const all = part === 'attention' ? [query, key, value, output] : [up, ...(gate ? [gate] : []), down];
  return [...new Set(all.flatMap(storedOf))];
}

/**
 * What matrices that several layers run with read, all their uses in one sum: moments of their inputs in the model as it is, by the
 * matrix of the first of these layers. Without those that the graph does not show. None, and no run, where no layer shares any.
 */
export async function sharedMoments(
  calibration: Calibration<Edit>,
  { layers }: Anatomy,
  isWanted: (linear: Linear) => boolean,
  signal?: AbortSignal,
): Promise<ReadonlyMap<Linear, Moments>> {
  const found = new Map<Linear, Moments>();
  const isShared = ({ index, stored }: Layer) => layers.some(other => other.index !== index && other.stored === stored);
  if (!layers.some(isShared)) return found;
  const walk = await calibration.walk();
  while (walk.at) {
    throwIfCancelled(signal);
    const { layer: index, part } = walk.at;
    const layer = layers[index]!;
    const firsts = matricesOf(layers[layer.stored]!, part);
    const runs = isShared(layer) ? matricesOf(layer, part) : [];
    const seen = runs.flatMap(({ id }, at) => {
      const first = firsts[at]!;
      const tap: Tap = `${id}:in`;
      return isWanted(first) && walk.shows(tap) ? [{ first, tap }] : [];
    });
    if (seen.length > 0)
      await walk.observe(
        'original',
        seen.map(({ tap }) => tap),
        [],
        async batch => {
          for (const { first, tap } of seen) {
            const moments = found.get(first) ?? calibration.moments(first.in);
            found.set(first, moments);
            await moments.add(batch.get(tap));
          }
        },
      );
    await walk.advance([]);
  }
  return found;
}
