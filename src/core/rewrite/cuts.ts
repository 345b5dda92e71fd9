import type { Anatomy, Linear } from '../anatomy/anatomy.ts';
import type { Refitted } from '../passes/pass.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { elementCount } from '../tensor/tensor.ts';
import { keptRuns, type Runs, take } from './take.ts';

/** Matrices that lose outputs or inputs. Parts of one stored matrix (query, key and value in one) are cut together, by `finish`. */
export class Cuts {
  readonly #changes = new Map<string, Tensor>();
  /** Outputs that go, by stored matrix. */
  readonly #gone = new Map<Linear, number[]>();

  /** Rows of [out, in], and of the bias. */
  outputs(linear: Linear, removed: readonly number[]): void {
    const whole = linear.within ?? linear;
    const rows = linear.rows ? linear.rows.flatMap(([start, end]) => range(start, end)) : undefined;
    const gone = this.#gone.get(whole) ?? [];
    this.#gone.set(whole, gone);
    for (const place of removed) gone.push(rows ? rows[place]! : place);
  }

  /** Columns of [out, in], or the matrix refitted for those that stay. throws RangeError for a refit of another shape */
  inputs(linear: Linear, kept: Runs, { weight, bias }: Refitted = {}): void {
    const cut = take(linear.weight, linear.transposed ? 0 : 1, kept);
    if (weight && weight.shape.join() !== cut.shape.join())
      throw new RangeError(`${linear.id}: refitted [${weight.shape}], expected [${cut.shape}]`);
    this.put(linear.weight, weight ?? cut);
    if (!bias) return;
    if (!linear.bias) throw new RangeError(`${linear.id} has no bias to refit`);
    this.put(linear.bias, bias);
  }

  put(old: Tensor, tensor: Tensor): void {
    this.#changes.set(old.name, tensor);
  }

  /** All changed tensors by name, those that are stored again under another name too. */
  finish({ copies }: Pick<Anatomy, 'copies'>): ReadonlyMap<string, Tensor> {
    for (const [whole, gone] of this.#gone) {
      const kept = keptRuns(whole.out, gone);
      this.put(whole.weight, take(whole.weight, whole.transposed ? 1 : 0, kept));
      if (whole.bias) this.put(whole.bias, take(whole.bias, biasAxis(whole.bias, whole.out), kept));
    }
    for (const [copy, first] of copies) {
      const changed = this.#changes.get(first);
      if (changed && !this.#changes.has(copy)) this.#changes.set(copy, changed);
    }
    return this.#changes;
  }
}

/** [384], [1, 1, 384]. throws RangeError for a bias that has no number for each output */
function biasAxis(bias: Tensor, out: number): number {
  const axis = bias.shape.lastIndexOf(out);
  if (axis < 0 || elementCount(bias.shape) !== out)
    throw new RangeError(`${bias.name} [${bias.shape}] is no bias of ${out} outputs`);
  return axis;
}

const range = (start: number, end: number): number[] => Array.from({ length: end - start }, (_, i) => start + i);
