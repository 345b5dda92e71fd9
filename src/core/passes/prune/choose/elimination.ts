import { products } from '../../../kernels/linear-algebra/product.ts';
import { invertSpd } from '../../../kernels/linear-algebra/spd.ts';
import { type Fit, meanDiagonal } from '../fit.ts';

// I inputs that are left, O outputs, R inputs that are removed together

/**
 * A matrix whose inputs are removed one after another, the others taking over what they can. The error that a removal adds is exact:
 * that of the ridge fit on what is left.
 * source  Optimal Brain Surgeon (Hassibi and Stork, 1993) for groups of inputs, as ZipLM (Kurtic et al., 2023)
 */
export class Elimination {
  /** Inputs that are left, as the fit numbers them. */
  columns: number[];
  readonly outputs: number;
  #inverse_II: Float64Array;
  #weight_IO: Float64Array;

  private constructor(columns: number[], outputs: number, inverse_II: Float64Array, weight_IO: Float64Array) {
    this.columns = columns;
    this.outputs = outputs;
    this.#inverse_II = inverse_II;
    this.#weight_IO = weight_IO;
  }

  /** Begins with the ridge fit on all inputs. */
  static async of(fit: Fit, damping: number, pause?: () => Promise<void>): Promise<Elimination> {
    const { inputs, outputs, gram_II, cross_IO, weight_IO } = fit;
    const columns = Array.from({ length: inputs }, (_, i) => i);
    const mean = meanDiagonal(fit, columns) || 1;
    for (let held = Math.max(damping, 1e-8) * mean; ; held *= 10) {
      const gram = Float64Array.from(gram_II);
      for (let i = 0; i < inputs; i++) gram[i * inputs + i]! += held;
      const inverse = invertSpd(gram, inputs);
      if (!inverse) {
        if (held < 1e6 * mean) continue;
        throw new RangeError('a removal on activations that are not finite');
      }
      const right = cross_IO.map((value, at) => value + held * weight_IO[at]!);
      return new Elimination(columns, outputs, inverse, await multiplied(inverse, inputs, right, outputs, pause));
    }
  }

  /** What removing each input alone adds to the squared error. [I] */
  costs(): Float64Array {
    const size = this.columns.length;
    const costs = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      let sum = 0;
      for (let at = i * this.outputs; at < (i + 1) * this.outputs; at++) sum += this.#weight_IO[at]! ** 2;
      costs[i] = sum / this.#inverse_II[i * size + i]!;
    }
    return costs;
  }

  /** What removing these together adds to the squared error; `places` count among those that are left. */
  cost(places: readonly number[]): number {
    const { removed_RO, solved_RO } = this.#solved(places);
    let sum = 0;
    for (let at = 0; at < removed_RO.length; at++) sum += removed_RO[at]! * solved_RO[at]!;
    return sum;
  }

  /** Removes these together. returns what that adds to the squared error */
  async remove(places: readonly number[], pause?: () => Promise<void>): Promise<number> {
    const cost = this.cost(places);
    const { solved_RO, inner_RR } = this.#solved(places);
    const [size, count, { outputs }] = [this.columns.length, places.length, this];
    const gone = new Set(places);
    const rest = this.columns.map((_, i) => i).filter(i => !gone.has(i));
    const across_IR = new Float64Array(rest.length * count);
    for (const [to, i] of rest.entries())
      for (const [r, place] of places.entries()) across_IR[to * count + r] = this.#inverse_II[i * size + place]!;
    const left = { values: across_IR, count: rest.length, vectorStride: count, elementStride: 1 };
    const weight_IO = await multiplied(across_IR, count, solved_RO, outputs, pause);
    const turned_IR = await multiplied(across_IR, count, inner_RR, count, pause);
    const inverse_II = await products(
      { ...left, values: turned_IR },
      left,
      count,
      new Float64Array(rest.length * rest.length),
      pause,
    );
    for (const [to, i] of rest.entries()) {
      for (let o = 0; o < outputs; o++)
        weight_IO[to * outputs + o] = this.#weight_IO[i * outputs + o]! - weight_IO[to * outputs + o]!;
      const [row, from] = [to * rest.length, i * size];
      for (let j = 0; j < rest.length; j++) inverse_II[row + j] = this.#inverse_II[from + rest[j]!]! - inverse_II[row + j]!;
    }
    this.columns = rest.map(i => this.columns[i]!);
    this.#inverse_II = inverse_II;
    this.#weight_IO = weight_IO;
    return cost;
  }

  /** The inverse of their block of the inverse, and that times their weights. */
  #solved(places: readonly number[]) {
    const [size, count, { outputs }] = [this.columns.length, places.length, this];
    const block = new Float64Array(count * count);
    const removed_RO = new Float64Array(count * outputs);
    for (const [r, place] of places.entries()) {
      for (const [s, other] of places.entries()) block[r * count + s] = this.#inverse_II[place * size + other]!;
      removed_RO.set(this.#weight_IO.subarray(place * outputs, (place + 1) * outputs), r * outputs);
    }
    const inner_RR = invertSpd(block, count);
    if (!inner_RR) throw new RangeError('the inverse lost its digits: more damping is needed');
    const solved_RO = new Float64Array(count * outputs);
    for (let r = 0; r < count; r++)
      for (let s = 0; s < count; s++) {
        const factor = inner_RR[r * count + s]!;
        for (let o = 0; o < outputs; o++) solved_RO[r * outputs + o]! += factor * removed_RO[s * outputs + o]!;
      }
    return { removed_RO, solved_RO, inner_RR };
  }
}

/** a [rows, depth] times b [depth, columns]. */
const multiplied = (a: Float64Array, depth: number, b: Float64Array, columns: number, pause?: () => Promise<void>) =>
  products(
    { values: a, count: a.length / depth, vectorStride: depth, elementStride: 1 },
    { values: b, count: columns, vectorStride: 1, elementStride: columns },
    depth,
    new Float64Array((a.length / depth) * columns),
    pause,
  );
