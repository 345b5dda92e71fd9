import type { Anatomy } from '../../anatomy/anatomy.ts';
import type { Sentence } from '../../errors.ts';
import type { ByLayer, PassContext, Plan } from '../pass.ts';

/** Everything the quantize pass can be told; each scheme reads what it lists in `options`. */
export interface QuantizeOptions {
  readonly scheme: string;
  readonly per_channel: boolean;
  /** Of each weight; for a scheme with a width of its own. */
  readonly bits: ByLayer;
  /** Megabytes (10^6 bytes) of the file that bits are chosen for, in place of `bits`. null: none. */
  readonly budget: number | null;
  /** Inputs that share a scale, along a row of [out, in]. 0: the whole row. */
  readonly block_size: number;
  readonly symmetric: boolean;
  readonly embedding_bits: number;
  readonly rounding: string;
  /** Strength 0 to 1 of what is moved from activations into weights. null: the scheme's own default. */
  readonly smooth: number | null;
  readonly activation_bits: number;
  readonly operators: string;
  /** How ranges of activations are chosen. */
  readonly ranges: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** A way to store and multiply with fewer bits: one file and a line in schemes.ts. */
export interface Scheme {
  /** As a recipe names it. */
  readonly id: string;
  /** One line, for the form and the documentation. */
  readonly hint: Sentence;
  /** The options it reads beside include and exclude; the others must stay at their defaults. */
  readonly options: readonly Exclude<keyof QuantizeOptions, 'scheme' | 'include' | 'exclude'>[];
  /** Widths that tables can have with it; 32 leaves them as they are. */
  readonly embeddingBits: readonly number[];
  /** It cannot do without calibration text. */
  readonly needs?: 'activations';
  /** The paper or tool it follows. */
  readonly source: string;
  plan(anatomy: Anatomy, options: QuantizeOptions, context: PassContext): Promise<Plan>;
}
