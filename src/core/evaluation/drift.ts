import { agreement } from './metrics/agreement.ts';
import { cosine } from './metrics/cosine.ts';
import { divergence } from './metrics/divergence.ts';
import { largestDifference } from './metrics/largest-difference.ts';
import { argmax, type TextOutput } from './outputs.ts';
import type { Drift, MovedText } from './report.ts';

/** Closer than this is the rounding of another order of sums, which two exports of one model show. */
const sameCosine = 1 - 1e-5;

/** How many texts are shown as the ones that moved most. */
const shown = 5;

interface Compared extends MovedText {
  readonly index: number;
}

/** Collects how far two models' outputs lie apart, text by text: outputs are not kept. */
export class DriftCollector {
  readonly #cosines: number[] = [];
  readonly #differences: number[] = [];
  readonly #divergences: number[] = [];
  readonly #agreements: number[] = [];
  readonly #texts: Compared[] = [];

  add(index: number, text: string, before: TextOutput, after: TextOutput): void {
    const [found] = cosine.of(before, after);
    if (found !== undefined) this.#cosines.push(found);
    this.#differences.push(...largestDifference.of(before, after));
    for (const value of divergence.of(before, after)) this.#divergences.push(value);
    for (const value of agreement.of(before, after)) this.#agreements.push(value);
    this.#texts.push({ index, text, cosine: found ?? null, before: classOf(before), after: classOf(after) });
  }

  drift(): Drift {
    return {
      cosineMean: mean(this.#cosines),
      cosineMin: extreme(this.#cosines, Math.min),
      maxAbs: extreme(this.#differences, Math.max),
      agreement: mean(this.#agreements),
      kl: mean(this.#divergences),
      count: this.#texts.length,
    };
  }

  worst(): MovedText[] {
    const moved = this.#texts.filter(it => it.cosine !== null && (it.cosine < sameCosine || it.before !== it.after));
    return moved
      .sort((a, b) => Number(a.before === a.after) - Number(b.before === b.after) || a.cosine! - b.cosine! || a.index - b.index)
      .slice(0, shown)
      .map(({ index: _, ...rest }) => rest);
  }
}

/** Of models that predict one class for a text. */
export function classOf({ logits, classes }: TextOutput): number | null {
  return logits && classes > 1 && logits.length === classes ? argmax(logits) : null;
}

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : finite(values.reduce((sum, value) => sum + value, 0) / values.length);

const extreme = (values: readonly number[], pick: (a: number, b: number) => number): number | null =>
  values.length === 0 ? null : finite(values.reduce((a, b) => pick(a, b)));

/** JSON has no NaN; the report says elsewhere how many texts have one. */
const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
