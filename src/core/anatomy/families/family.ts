import type { Model } from '../../model/model.ts';

/** How one family names its tensors. What the families share (heads, prefixes, buffers) is read by names.ts. */
export interface Family {
  /** config.json's model_type. */
  readonly id: string;
  /** Other model_types with the same names and structure. */
  readonly alike: readonly string[];
  /** The attribute the encoder has in a model with a head: "bert." */
  readonly base: string;
  /** The weight of the first layer's query; what stands before the match is the prefix of the whole encoder. */
  readonly query: RegExp;
  /** Path below the prefix ("encoder.layer.3.attention.self.query") -> path in BERT's words, undefined when it is none of this family's. */
  organ(path: string, config: Model['config']): string | undefined;
  /** Does the checkpoint look like this family, when config.json does not say? `paths` are without the prefix. */
  tells(paths: ReadonlySet<string>, tensors: Model['tensors']): boolean;
  /** Path of the projection from embeddings to hidden states, in families that have one. */
  readonly projection?: string;
  /** Path of the masked-language head's decoder. */
  readonly decoder: string;
  /** Which stored layer each executed layer uses; each its own when absent. */
  runs?(stored: number, config: Model['config']): readonly number[];
}

/** A whole number in a config, or undefined. */
export function count(config: Model['config'], ...keys: readonly string[]): number | undefined {
  for (const key of keys) {
    const value = config[key];
    if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
  }
  return undefined;
}
