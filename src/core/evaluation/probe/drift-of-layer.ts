import { allFinite } from '../outputs.ts';
import type { LayerDrift } from '../report.ts';
import { Alignment } from './cka.ts';
import { meanCosine } from './mean-cosine.ts';
import type { HiddenState } from './probe.ts';
import type { TokenRows } from './run-states.ts';

/** CKA of so many tokens changes no more in its third digit. */
const tokensForAlignment = 2048;

/** Collects how far two hidden states lie apart, text by text. */
export class DriftOfLayer {
  readonly #state: HiddenState;
  readonly #against: HiddenState;
  readonly #cosines: number[] = [];
  #alignment: Alignment | undefined;
  #count = 0;

  constructor(state: HiddenState, against: HiddenState) {
    this.#state = state;
    this.#against = against;
  }

  /** One text in both. Texts with a NaN in either are left out: they have no distance. */
  add(a: TokenRows, b: TokenRows): void {
    if (a.width !== b.width) {
      this.#alignment ??= new Alignment(a.width, b.width);
      if (this.#alignment.tokens >= tokensForAlignment || ![a, b].every(({ rows_TC }) => allFinite(rows_TC))) return;
      this.#alignment.add(a.rows_TC, b.rows_TC, a.tokens);
      this.#count++;
      return;
    }
    const cosine = meanCosine(a, b);
    if (!Number.isFinite(cosine)) return;
    this.#cosines.push(cosine);
    this.#count++;
  }

  report(): LayerDrift {
    const sum = this.#cosines.reduce((total, cosine) => total + cosine, 0);
    const mean = this.#alignment ? this.#alignment.value() : sum / this.#count;
    const min = this.#cosines.reduce((least, cosine) => Math.min(least, cosine), Number.POSITIVE_INFINITY);
    return {
      id: this.#state.id,
      against: this.#against.id,
      measure: this.#alignment ? 'cka' : 'cosine',
      mean: Number.isFinite(mean) ? mean : null,
      // CKA is of all tokens together: few of them are alike in many dimensions whatever they are.
      min: Number.isFinite(min) ? min : null,
      count: this.#count,
    };
  }
}
