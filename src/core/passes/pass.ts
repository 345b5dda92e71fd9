import type { Anatomy, Linear, Table } from '../anatomy/anatomy.ts';
import type { Sentence } from '../errors.ts';
import type { Model } from '../model/model.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** One declaration drives the option's type, the form, the recipe's validation, the command-line flag and the documentation. */
export type Field =
  | (FieldText & {
      readonly kind: 'number';
      readonly default: number;
      readonly min: number;
      readonly max: number;
      readonly step?: number;
    })
  | (FieldText & {
      readonly kind: 'choice';
      readonly default: string;
      readonly choices: readonly { readonly value: string; readonly hint: Sentence }[];
    })
  | (FieldText & { readonly kind: 'flag'; readonly default: boolean })
  /** Globs of organ ids, one or more; "*" is anything. */
  | (FieldText & { readonly kind: 'globs'; readonly default: readonly string[] });
interface FieldText {
  readonly label: Sentence;
  readonly help: Sentence;
  /** Shown only while another field has one of these values: { scheme: ['int8'] } */
  readonly when?: Readonly<Record<string, readonly string[]>>;
}
export type Fields = Readonly<Record<string, Field>>;
type ValueOf<F extends Field> = F extends { kind: 'number' }
  ? number
  : F extends { kind: 'flag' }
    ? boolean
    : F extends { kind: 'choice'; choices: readonly { value: infer V }[] }
      ? V
      : readonly string[];
export type Options<S extends Fields = Fields> = { readonly [K in keyof S]: ValueOf<S[K]> };

/** The whole vocabulary of change. `rewrite` performs these; passes only speak them. */
export type Edit = QuantizeEdit | CastEdit;

export interface QuantizeEdit {
  readonly kind: 'quantize';
  readonly target: Linear | Table;
  readonly scheme: 'int8' | 'int8-dynamic';
  /** Integers, computed when read. */
  readonly values: Tensor;
  /** Do the integers lie as the stored weight does, or turned, ready for a product that read the weight through a transposition? */
  readonly layout: 'stored' | 'transposed';
  /** One for each output channel (or row of a table), or one in all. */
  readonly scale: Tensor;
  /** Absent: 0 for signed integers, 128 for unsigned ones. */
  readonly zeroPoint?: Tensor;
  /** For each output channel the sum of its weights as they act: what an offset of the inputs contributes. */
  readonly sums?: Tensor;
}

/** The same numbers in another floating-point type. */
export interface CastEdit {
  readonly kind: 'cast';
  readonly target: Linear | Table;
  readonly values: Tensor;
}

export interface Skipped {
  readonly target: string;
  readonly reason: Sentence;
}

/** What a pass would do, and what it left alone and why. Shown before anything is written. */
export interface Plan {
  readonly edits: readonly Edit[];
  readonly skipped: readonly Skipped[];
}

export interface PassContext {
  readonly model: Model;
  /** The format that will be written: schemes may differ in what they can store. */
  readonly format: Model['format'];
  readonly signal?: AbortSignal;
}

export interface Pass<Id extends string = string, S extends Fields = Fields> {
  readonly id: Id;
  readonly title: Sentence;
  /** One line for the form and the documentation. */
  readonly summary: Sentence;
  /** The paper or tool it follows. */
  readonly source: string;
  readonly needs: readonly ('weights' | 'activations' | 'gradients')[];
  readonly fields: S;
  /** Sets of options worth trying on any model, for the table of what each would save. Absent: made from the fields. */
  readonly suggestions?: readonly Readonly<Record<string, unknown>>[];
  plan(anatomy: Anatomy, options: Options<S>, context: PassContext): Promise<Plan>;
}

export const definePass = <const Id extends string, const S extends Fields>(pass: Pass<Id, S>): Pass<Id, S> => pass;

export interface Step {
  readonly pass: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** What is done to a model, as JSON: replays to the same bytes. */
export interface Recipe {
  readonly version: 1;
  readonly steps: readonly Step[];
}
