import type { TextVectors } from '../../../calibration/calibration.ts';
import { cosineAt } from '../choose/cosine-at.ts';

/** How far what a model says to texts lies from the original: the mean divergence (KL) of its predictions, or 1 - the mean cosine of its vectors. */
export const driftOf = (original: TextVectors, now: TextVectors): number =>
  original.classes > 1 && now.logits ? divergence(original, now) : 1 - meanCosine(original, now);

function meanCosine({ pooled: a, width }: TextVectors, { pooled: b }: TextVectors): number {
  let sum = 0;
  for (let at = 0; at < a.length; at += width) sum += cosineAt(a, b, at, width);
  return sum / (a.length / width);
}

function divergence({ logits: a, classes }: TextVectors, { logits: b }: TextVectors): number {
  let sum = 0;
  for (let at = 0; at < a!.length; at += classes) {
    const [p, q] = [a!, b!].map(logits => logProbabilities(logits.subarray(at, at + classes)));
    for (let i = 0; i < classes; i++) sum += Math.exp(p![i]!) * (p![i]! - q![i]!);
  }
  return sum / (a!.length / classes);
}

function logProbabilities(logits: Float32Array): number[] {
  const most = Math.max(...logits);
  const sum = most + Math.log(logits.reduce((total, logit) => total + Math.exp(logit - most), 0));
  return Array.from(logits, logit => logit - sum);
}
