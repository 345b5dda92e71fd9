import type { Calibration, Gated, TextVectors } from '../../../calibration/calibration.ts';
import { throwIfCancelled } from '../../../errors.ts';
import type { Edit, PassContext } from '../../pass.ts';
import type { Site } from '../sites.ts';

/** The gates of a unit move this far from 1 to both sides: far above the rounding of fp32, and small beside what bends. */
const step = 0.1;

/** Texts that are used when it is not said: two runs for each head are many. */
const usualTexts = 128;

/**
 * How fast what the model says changes when a unit is scaled, by layer [units]: the mean over texts of |dL / d gate|, L the
 * cross-entropy of the class that the model itself predicts; of a model without classes, the length of the change of the text's unit
 * vector. The scores of a layer are divided by their length, as Michel et al. do.
 * source  Michel et al., Are Sixteen Heads Really Better than One?, NeurIPS 2019, equation 2; derivatives by central differences
 */
export async function gradients(
  calibration: Calibration<Edit>,
  sites: readonly Site[],
  texts: number | undefined,
  { progress, signal }: Pick<PassContext, 'progress' | 'signal'>,
): Promise<ReadonlyMap<number, readonly number[]>> {
  const total = sites.reduce((sum, { units }) => sum + units, 0);
  const gated = await calibration.gated(
    sites.map(({ linear }) => linear.id),
    Math.min(calibration.texts, texts ?? usualTexts),
  );
  try {
    const found = new Map<number, number[]>();
    const classes = predicted(await gated.run(new Map()));
    let done = 0;
    for (const site of sites) {
      const scores: number[] = [];
      for (let unit = 0; unit < site.units; unit++) {
        throwIfCancelled(signal);
        progress?.(done++ / total, site.linear.id);
        const [less, more] = [await runAt(gated, site, unit, 1 - step), await runAt(gated, site, unit, 1 + step)];
        scores.push(classes ? meanSlope(less, more, classes) : meanTurn(less, more));
      }
      const length = Math.hypot(...scores) || 1;
      found.set(
        site.layer,
        scores.map(score => score / length),
      );
    }
    return found;
  } finally {
    await gated.close();
  }
}

function runAt(gated: Gated, { linear, width }: Site, unit: number, gate: number): Promise<TextVectors> {
  const gates = new Float32Array(linear.in).fill(1).fill(gate, unit * width, (unit + 1) * width);
  return gated.run(new Map([[linear.id, gates]]));
}

function predicted({ logits, classes }: TextVectors): number[] | undefined {
  if (!logits || classes < 2) return undefined;
  return Array.from({ length: logits.length / classes }, (_, text) => {
    const row = logits.subarray(text * classes, (text + 1) * classes);
    return row.indexOf(Math.max(...row));
  });
}

function meanSlope(less: TextVectors, more: TextVectors, predictedClasses: readonly number[]): number {
  let sum = 0;
  for (const [text, label] of predictedClasses.entries())
    sum += Math.abs(crossEntropy(more, text, label) - crossEntropy(less, text, label)) / (2 * step);
  return sum / predictedClasses.length;
}

function crossEntropy({ logits, classes }: TextVectors, text: number, label: number): number {
  const row = logits!.subarray(text * classes, (text + 1) * classes);
  const most = Math.max(...row);
  return most + Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - most), 0)) - row[label]!;
}

function meanTurn(less: TextVectors, more: TextVectors): number {
  const { width } = less;
  const texts = less.pooled.length / width;
  let sum = 0;
  for (let text = 0; text < texts; text++) {
    const [a, b] = [less, more].map(({ pooled }) => pooled.subarray(text * width, (text + 1) * width));
    const [aLength, bLength] = [Math.hypot(...a!) || 1, Math.hypot(...b!) || 1];
    sum += Math.hypot(...a!.map((value, i) => b![i]! / bLength - value / aLength)) / (2 * step);
  }
  return sum / texts;
}
