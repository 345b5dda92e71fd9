import type { Calibration, TextVectors } from '../../../calibration/calibration.ts';
import { throwIfCancelled } from '../../../errors.ts';
import type { Edit, PassContext } from '../../pass.ts';
import { cosineAt } from './cosine-at.ts';

/** Texts that are used at most: which of two subsets is nearer shows in few. */
const mostTexts = 128;
/** Subsets that are all tried; where there are more, layers go one after another. */
const mostSubsets = 100;

/** The `count` layers without which the vectors of texts stay nearest to the original's (mean cosine), ascending. */
export async function byAgreement(
  calibration: Calibration<Edit>,
  layers: number,
  count: number,
  texts: number | undefined,
  { progress, signal }: Pick<PassContext, 'progress' | 'signal'>,
): Promise<number[]> {
  const used = Math.min(texts ?? mostTexts, mostTexts);
  const original = await calibration.vectors([], used);
  const isExhaustive = choose(layers, count) <= mostSubsets;
  const steps = isExhaustive ? choose(layers, count) : (count * (2 * layers - count + 1)) / 2;
  let done = 0;
  const best = async (candidates: readonly (readonly number[])[]): Promise<readonly number[]> => {
    let [nearest, most]: [readonly number[], number] = [candidates[0]!, -Infinity];
    for (const removed of candidates) {
      throwIfCancelled(signal);
      progress?.(done++ / steps, removed.join(', '));
      const cosine = meanCosine(original, await calibration.vectors([{ kind: 'remove-layers', layers: removed }], used));
      if (cosine > most) [nearest, most] = [removed, cosine];
    }
    return nearest;
  };
  if (isExhaustive) return [...(await best([...subsets(layers, count)]))];
  let removed: readonly number[] = [];
  while (removed.length < count) {
    const left = Array.from({ length: layers }, (_, layer) => layer).filter(layer => !removed.includes(layer));
    removed = await best(left.map(layer => [...removed, layer].sort((a, b) => a - b)));
  }
  return [...removed];
}

/** What is lost of the mean cosine when each layer goes alone. [layers] */
export async function leaveOneOut(
  calibration: Calibration<Edit>,
  layers: number,
  texts: number | undefined,
  { progress, signal }: Pick<PassContext, 'progress' | 'signal'>,
): Promise<number[]> {
  const used = Math.min(texts ?? mostTexts, mostTexts);
  const original = await calibration.vectors([], used);
  const found: number[] = [];
  for (let layer = 0; layer < layers; layer++) {
    throwIfCancelled(signal);
    progress?.(layer / layers, `encoder.layer.${layer}`);
    const cut: Edit = { kind: 'remove-layers', layers: [layer] };
    found.push(1 - meanCosine(original, await calibration.vectors([cut], used)));
  }
  return found;
}

function choose(n: number, k: number): number {
  let product = 1;
  for (let i = 1; i <= k; i++) product = (product * (n - k + i)) / i;
  return Math.round(product);
}

/** All ascending lists of `count` of the numbers from `first` up to n. */
export function* subsets(n: number, count: number, first = 0): Generator<number[]> {
  if (count === 0) {
    yield [];
    return;
  }
  for (let each = first; each <= n - count; each++) for (const rest of subsets(n, count - 1, each + 1)) yield [each, ...rest];
}

function meanCosine({ pooled: a, width }: TextVectors, { pooled: b }: TextVectors): number {
  let sum = 0;
  for (let at = 0; at < a.length; at += width) sum += cosineAt(a, b, at, width);
  return sum / (a.length / width);
}
