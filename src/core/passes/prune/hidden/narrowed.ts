import type { Anatomy, Linear, Norm, Table } from '../../../anatomy/anatomy.ts';
import { floatsOf } from '../../../kernels/floats.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import { computed } from '../../computed.ts';
import { stored } from '../../factorize/factors.ts';
import type { RemoveHiddenEdit } from '../../pass.ts';
import { storedAs, typed, vectorOf, weightOf } from '../matrix.ts';
import { isTied } from './narrowable.ts';
import { times, transposed } from './product.ts';
import type { Reader, StreamHalf } from './stream.ts';
import type { Subspace } from './subspace.ts';

// H hidden dimensions before, N after, I inputs, O outputs

/** What a narrow hidden state stands for: state times map plus shift is what readers of the wide one read. */
export interface Reading {
  readonly map_NH: Float64Array;
  readonly shift_H: Float64Array;
}

/** What a half adds up to: the state that enters times `skip`, and what its last matrix reads times `weight`, and a bias. */
export interface Writing {
  readonly skip_NN: Float64Array;
  readonly weight_IN: Float64Array;
  readonly bias_N: Float64Array;
}

/**
 * The wide state y behind a norm is gain * u + bias with u of mean 0 and variance 1. The narrow one is u times a basis, so that
 * y = state * (basisᵀ gain) + bias: readers take that in, writers are turned into the next basis, and what goes around a half is turned
 * from one into the other. Where all stays this is exact. `lost`: the mean of what is cut goes into the bias.
 */
export async function readingOf({ weight, bias }: Norm, { centred_HN, lost_H }: Subspace, foldsMeans: boolean): Promise<Reading> {
  const [gain_H, bias_H] = [await vectorOf(weight!), await vectorOf(bias!)];
  const size = centred_HN.length / gain_H.length;
  const map_NH = transposed(centred_HN, size).map((value, at) => value * gain_H[at % gain_H.length]!);
  return { map_NH, shift_H: foldsMeans ? bias_H.map((value, h) => value + gain_H[h]! * lost_H[h]!) : bias_H };
}

/** As readingOf says what enters, and the basis of the norm behind. */
export async function writingOf(writer: Linear, { map_NH, shift_H }: Reading, { centred_HN }: Subspace): Promise<Writing> {
  const wide = shift_H.length;
  const bias_H = await vectorOf(writer.bias!);
  return {
    skip_NN: await times(map_NH, centred_HN, wide),
    weight_IN: await times(await weightOf(writer), centred_HN, wide),
    bias_N: await times(
      bias_H.map((value, h) => value + shift_H[h]!),
      centred_HN,
      wide,
    ),
  };
}

/** The parts of an edit, put together half by half. */
export class Narrowed {
  readonly size: number;
  readonly #anatomy: Anatomy;
  readonly #tensors = new Map<string, Tensor>();
  readonly #skips: Tensor[] = [];
  #widening: RemoveHiddenEdit['widening'] | undefined;
  #decoder: Tensor | undefined;

  constructor(anatomy: Anatomy, size: number) {
    this.#anatomy = anatomy;
    this.size = size;
  }

  get edit(): RemoveHiddenEdit {
    return {
      kind: 'remove-hidden',
      hidden: this.size,
      tensors: new Map(this.#tensors),
      skips: [...this.#skips],
      widening: this.#widening!,
      ...(this.#decoder && { decoder: this.#decoder }),
    };
  }

  /** Rows of the tables, computed when they are read. */
  embed({ basis_HN }: Subspace): void {
    for (const table of this.#anatomy.tables) this.#tensors.set(table.weight.name, narrowTable(table, basis_HN, this.size));
    if (!isTied(this.#anatomy)) return;
    const { dtype } = this.#anatomy.tables[0]!.weight;
    const wide = basis_HN.length / this.size;
    this.#decoder = typed({ name: 'decoder', dtype }, [this.size, wide], Float32Array.from(transposed(basis_HN, this.size)));
  }

  /** One gain for all channels. */
  norm({ weight, bias }: Norm, { gain }: Subspace): void {
    this.#tensors.set(weight!.name, typed(weight!, [this.size], new Float32Array(this.size).fill(gain)));
    this.#tensors.set(bias!.name, typed(bias!, [this.size], new Float32Array(this.size)));
  }

  async read({ readers }: StreamHalf, reading: Reading): Promise<void> {
    for (const reader of readers) await this.#reader(reader, reading);
  }

  write(half: number, { writer }: StreamHalf, { skip_NN, weight_IN, bias_N }: Writing): void {
    const { weight, bias } = writer;
    const skip = Float32Array.from(transposed(skip_NN, this.size));
    this.#skips[half] = typed(weight, [this.size, this.size], skip);
    this.#tensors.set(weight.name, storedAs({ ...writer, out: this.size }, weight_IN));
    this.#tensors.set(bias!.name, typed(bias!, [this.size], Float32Array.from(bias_N)));
  }

  widen({ map_NH, shift_H }: Reading): void {
    const { weight } = this.#anatomy.layers.at(-1)!.down;
    const wide = shift_H.length;
    this.#widening = {
      weight: typed(weight, [wide, this.size], Float32Array.from(transposed(map_NH, wide))),
      bias: typed(weight, [wide], Float32Array.from(shift_H)),
    };
  }

  async #reader({ linears, bias }: Reader, { map_NH, shift_H }: Reading): Promise<void> {
    const wide = shift_H.length;
    const biases = await vectorOf(bias);
    let first = 0;
    for (const linear of linears) {
      const weight_HO = await weightOf(linear);
      this.#tensors.set(linear.weight.name, storedAs(linear, await times(map_NH, weight_HO, wide)));
      const shift_O = await times(shift_H, weight_HO, wide);
      for (let o = 0; o < linear.out; o++) biases[first + o]! += shift_O[o]!;
      first += linear.out;
    }
    this.#tensors.set(bias.name, typed(bias, bias.shape, Float32Array.from(biases)));
  }
}

/** Bytes of a table that are turned at a time. */
const pieceRows = 1024;

function narrowTable({ weight, rows, width }: Table, basis_HN: Float64Array, size: number): Tensor {
  const { name, dtype, shape } = weight;
  const narrow = [...shape.slice(0, -1), size];
  const rowBytes = (weight.byteLength / rows / width) * size;
  return computed(name, dtype, narrow, async (start, end, signal) => {
    const [first, last] = [Math.floor(start / rowBytes), Math.ceil(end / rowBytes)];
    const bytes = new Uint8Array((last - first) * rowBytes);
    for (let row = first; row < last; row += pieceRows) {
      const to = Math.min(last, row + pieceRows);
      const turned = await times(await floatsOf(weight, row * width, to * width, signal), basis_HN, width);
      bytes.set(stored(Float32Array.from(turned), dtype), (row - first) * rowBytes);
    }
    return bytes.subarray(start - first * rowBytes, end - first * rowBytes);
  });
}
