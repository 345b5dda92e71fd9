import type { Calibration } from '../../../calibration/calibration.ts';
import type { Edit, PassContext } from '../../pass.ts';
import { cosineAt } from './cosine-at.ts';

/** Texts that are used at most: a mean over tokens needs few. */
const mostTexts = 256;

/**
 * How much each layer turns the hidden state: 1 - the mean over tokens of the cosine of what enters it and what leaves it. [layers]
 * source  block influence of Men et al., ShortGPT, 2024
 */
export async function influences(
  calibration: Calibration<Edit>,
  texts: number | undefined,
  { progress }: Pick<PassContext, 'progress'>,
  layers: number,
): Promise<number[]> {
  const walk = await calibration.walk([], Math.min(texts ?? mostTexts, mostTexts));
  const found: number[] = [];
  while (walk.at) {
    const entering: Float32Array[] = [];
    let [turned, tokens] = [0, 0];
    progress?.(walk.at.layer / layers, `encoder.layer.${walk.at.layer}`);
    await walk.observe('original', ['input'], [], batch => void entering.push(batch.get('input')));
    await walk.advance([]);
    await walk.observe('original', ['output'], [], batch => {
      turned += turnOf(entering.shift()!, batch.get('output'), batch.tokens);
      tokens += batch.tokens;
    });
    await walk.advance([]);
    found.push(turned / Math.max(1, tokens));
  }
  return found;
}

/** Sum over rows of 1 - cosine. */
function turnOf(a: Float32Array, b: Float32Array, rows: number): number {
  const width = a.length / rows;
  let sum = 0;
  for (let at = 0; at < a.length; at += width) sum += 1 - cosineAt(a, b, at, width);
  return sum;
}
