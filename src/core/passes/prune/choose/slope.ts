import type { TextVectors } from '../../../calibration/calibration.ts';
import type { Labelled } from '../../pass.ts';
import { cosineAt } from './cosine-at.ts';

/** The mean over texts of how fast the loss changes between two runs, one with gates a step below 1 and one with gates a step above. */
export type Slope = (less: TextVectors, more: TextVectors) => number;

/**
 * Of the cross-entropy of the labels, or of the squared distance of the cosine of two texts to their score; without labels of the
 * cross-entropy of the class that `base`, the model itself, predicts, or of the text's unit vector where it has no classes.
 */
export function slopeFor(base: TextVectors, labels: Labelled['labels'] | undefined, step: number): Slope {
  if (labels?.kind === 'scores') return slopeOf(vectors => distances(vectors, labels.scores), step);
  const classes = labels?.classes ?? predicted(base);
  if (classes && base.classes > 1)
    return slopeOf(vectors => classes.map((label, text) => crossEntropy(vectors, text, label)), step);
  return (less, more) => meanTurn(less, more) / (2 * step);
}

const slopeOf =
  (losses: (vectors: TextVectors) => readonly number[], step: number): Slope =>
  (less, more) => {
    const [before, after] = [losses(less), losses(more)];
    return before.reduce((sum, loss, text) => sum + Math.abs(after[text]! - loss), 0) / (2 * step * before.length);
  };

function predicted({ logits, classes }: TextVectors): number[] | undefined {
  if (!logits || classes < 2) return undefined;
  return Array.from({ length: logits.length / classes }, (_, text) => {
    const row = logits.subarray(text * classes, (text + 1) * classes);
    return row.indexOf(Math.max(...row));
  });
}

function crossEntropy({ logits, classes }: TextVectors, text: number, label: number): number {
  const row = logits!.subarray(text * classes, (text + 1) * classes);
  const most = Math.max(...row);
  return most + Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - most), 0)) - row[label]!;
}

/** Of texts 2i and 2i + 1. */
function distances({ pooled, width }: TextVectors, scores: readonly number[]): number[] {
  return scores.map((score, pair) => {
    const [a, b] = [pooled.subarray(2 * pair * width), pooled.subarray((2 * pair + 1) * width)];
    return (cosineAt(a, b, 0, width) - score) ** 2;
  });
}

function meanTurn(less: TextVectors, more: TextVectors): number {
  const { width } = less;
  const texts = less.pooled.length / width;
  let sum = 0;
  for (let text = 0; text < texts; text++) {
    const [a, b] = [less, more].map(({ pooled }) => pooled.subarray(text * width, (text + 1) * width));
    const [aLength, bLength] = [Math.hypot(...a!) || 1, Math.hypot(...b!) || 1];
    sum += Math.hypot(...a!.map((value, i) => b![i]! / bLength - value / aLength));
  }
  return sum / texts;
}
